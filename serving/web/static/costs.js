// The page of costs: puts the content of a chosen file into the form, which is sent as text.
const file = document.getElementById("costs-file");
const text = document.getElementById("file-file");

file.addEventListener("change", async () => {
  if (file.files.length) text.value = await file.files[0].text();
});
document.getElementById("choose").hidden = false;
