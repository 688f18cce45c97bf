// Draws one metric of a period as an area, and the previous period as a pale line.

const ANIMATION_MS = 320;

const cssColour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const prefersReducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// The tooltip is built from elements instead of HTML text, so that no value is parsed as HTML.
const element = (name, className, ...children) => {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
};

const formatters = (data, metric) => {
  if (!data.money.includes(metric)) {
    const whole = new Intl.NumberFormat(data.locale);
    const short = new Intl.NumberFormat(data.locale, { notation: "compact", maximumFractionDigits: 1 });
    return { scale: 1, exact: (v) => whole.format(v), short: (v) => short.format(v) };
  }
  const digits = data.minorDigits;
  const currency = { style: "currency", currency: data.currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
  const exact = new Intl.NumberFormat(data.locale, currency);
  const short = new Intl.NumberFormat(data.locale, { ...currency, notation: "compact", maximumFractionDigits: 1, minimumFractionDigits: 0 });
  const scale = 10 ** digits;
  return { scale, exact: (v) => exact.format(v), short: (v) => short.format(v) };
};

const tooltip = (data, write, points) => {
  const index = points[0].dataIndex;
  const line = (kind, name, value) =>
    element("div", `tip-line ${kind}`, element("span", "tip-name", name), element("span", "tip-value", value));
  const lines = points
    .filter((point) => point.value != null && !SEGMENTS.includes(point.seriesId))
    .sort((one, other) => (other.seriesId === "now") - (one.seriesId === "now"))
    .map((point) => (point.seriesId === "now"
      ? line("now", data.names[index], write.exact(point.value))
      : line("then", data.previousNames[index] ?? "", write.exact(point.value))));
  return element("div", "tip", ...lines);
};

/** The segments of the line. The segment to an incomplete first or last point is dotted, so that it does not look like a drop. */
const SEGMENTS = ["solid", "first", "last"];

/** Returns the solid segment and the dotted segments at both ends. Values outside a segment are null. */
const lineSegments = (values, unfinished, [start, end]) => {
  const only = (isIncluded) => values.map((value, index) => (isIncluded(index) ? value : null));
  return {
    solid: only((index) => !(unfinished.first && index === start) && !(unfinished.last && index === end)),
    first: unfinished.first && end > start ? only((index) => index <= start + 1) : [],
    last: unfinished.last && end > start ? only((index) => index >= end - 1) : [],
  };
};

const option = (data, metric, label) => {
  const write = formatters(data, metric);
  const scaled = (values) => (values ?? []).map((value) => (value === null ? null : value / write.scale));
  const [line, ghost, ink, rule] = ["--chart", "--ghost", "--quiet", "--rule"].map(cssColour);
  const isSinglePoint = data.labels.length === 1;
  const current = scaled(data.current[metric]);
  const before = scaled(data.previous?.[metric]);
  const parts = lineSegments(current, data.unfinished, data.drawn);
  const isEmpty = ![...current, ...before].some(Boolean);
  const stroke = (id) => ({ ...common, id, data: parts[id], z: 3, silent: true, showSymbol: false,
    itemStyle: { color: line }, lineStyle: { color: line, width: 2.25, type: id === "solid" ? "solid" : [2, 4] } });
  const common = { type: "line", showSymbol: isSinglePoint, symbol: "circle", symbolSize: 7, connectNulls: true, emphasis: { disabled: false } };
  return {
    animation: !prefersReducedMotion(),
    animationDuration: ANIMATION_MS,
    animationDurationUpdate: ANIMATION_MS,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    aria: { enabled: false },
    grid: { left: 8, right: 36, top: 14, bottom: 14, containLabel: true },
    tooltip: {
      trigger: "axis",
      className: "tip-box",
      transitionDuration: 0.12,
      confine: true,
      axisPointer: { type: "line", lineStyle: { color: ghost, width: 1, type: "solid" } },
      formatter: (points) => tooltip(data, write, points),
    },
    xAxis: {
      type: "category",
      data: data.labels,
      boundaryGap: isSinglePoint,
      axisLine: { lineStyle: { color: rule } },
      axisTick: { show: false },
      axisLabel: { color: ink, fontSize: 12, hideOverlap: true, margin: 12,
        interval: data.ticks ? (index) => data.ticks.includes(index) : "auto" },
    },
    yAxis: {
      type: "value",
      min: 0,
      show: !isEmpty,
      minInterval: data.money.includes(metric) ? 0 : 1,
      splitNumber: 4,
      axisLabel: { color: ink, fontSize: 12, formatter: write.short },
      splitLine: { lineStyle: { color: rule } },
    },
    series: [
      { ...common, id: "then", name: gettext("Previous period"), data: before, z: 1,
        itemStyle: { color: ghost }, lineStyle: { color: ghost, width: 1.75, type: [5, 5] } },
      { ...common, id: "now", name: label, data: current, z: 2,
        itemStyle: { color: line }, lineStyle: { color: line, width: 0 },
        areaStyle: { color: line, opacity: 0.09 } },
      ...SEGMENTS.map(stroke),
    ],
  };
};

/** Creates a chart in `box`. Call `draw(data, metric, label)` again after every change. */
export const createChart = (box) => {
  if (!box || !window.echarts) return { draw() {} };
  const chart = window.echarts.init(box, null, { renderer: "canvas" });
  let lastArguments = null;
  const draw = (...args) => {
    lastArguments = args;
    chart.setOption(option(...args), { replaceMerge: ["series"] });
  };
  new ResizeObserver(() => chart.resize()).observe(box);
  addEventListener("themechange", () => lastArguments && draw(...lastArguments));
  return { draw };
};
