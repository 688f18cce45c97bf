// The page of costs: puts the content of a chosen file into the form, which is sent as text.
const file = document.getElementById("costs-file");
const text = document.getElementById("file-file");

// Spreadsheets save CSV in UTF-8, in UTF-16 with a byte order mark, or in Windows' code page.
function decode(bytes) {
  const [first, second] = new Uint8Array(bytes);
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

file.addEventListener("change", async () => {
  if (file.files.length) text.value = decode(await file.files[0].arrayBuffer());
});
document.getElementById("choose").hidden = false;
