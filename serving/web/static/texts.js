// Translates the texts of scripts. The page has the translations; without one, a text stays English.
(() => {
  let texts = null;
  const translations = () => (texts ??= JSON.parse(document.getElementById("texts")?.textContent ?? "{}"));
  const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
  /** Returns the text in the language of the page. `%(name)s` stands for a value. */
  globalThis.gettext = (text, values = {}) => fill(translations()[text] ?? text, values);
  /** Returns the form of a text for `number`, which `%(num)s` stands for. */
  globalThis.ngettext = (one, many, number, values = {}) => {
    const forms = translations()[one] ?? [one, many];
    return fill(forms[number === 1 ? 0 : 1], { num: number, ...values });
  };
})();
