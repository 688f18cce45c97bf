// The page of a seller's queries: the keyboard, names that are inserted by a click, and queries saved in the browser.
const KEY = "souk.queries";
const form = document.getElementById("sql");
const editor = document.getElementById("query");
const saved = document.getElementById("saved");

// Reading the property `localStorage` throws if the browser forbids storage.
const read = () => {
  try {
    const found = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
};

const write = (queries) => {
  try {
    localStorage.setItem(KEY, JSON.stringify(queries));
  } catch {
    // Storage is full or forbidden: nothing is saved.
  }
  show();
};

const button = (text, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
};

const title = (query) => query.split("\n")[0].replace(/^--\s*/, "").slice(0, 80);

const show = () => {
  const queries = read();
  saved.hidden = queries.length === 0;
  saved.querySelector("ul").replaceChildren(...queries.map((query) => {
    const item = document.createElement("li");
    const remove = button(gettext("Remove"), () => write(read().filter((each) => each !== query)));
    remove.className = "button small";
    remove.setAttribute("aria-label", gettext("Remove %(title)s", { title: title(query) }));
    const open = button(title(query), () => {
      editor.value = query;
      editor.focus();
    });
    item.append(open, remove);
    return item;
  }));
};

editor.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});

for (const name of document.querySelectorAll("[data-insert]")) {
  const insert = button(name.textContent, () => {
    editor.setRangeText(name.textContent, editor.selectionStart, editor.selectionEnd, "end");
    editor.focus();
  });
  insert.title = gettext("Insert into the query");
  insert.className = "mono";
  name.replaceWith(insert);
}

document.getElementById("save").hidden = false;
document.getElementById("keys").hidden = false;
document.getElementById("save").addEventListener("click", () => {
  const query = editor.value.trim();
  if (query) write([query, ...read().filter((each) => each !== query)].slice(0, 50));
});
show();
