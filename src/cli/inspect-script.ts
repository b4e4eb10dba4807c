/** What the inspector's page does: a click on a kernel marks its lines, one on a line finds its kernels; decisions are filtered. */
export const pageScript = `
const all = (selector) => [...document.querySelectorAll(selector)];
const buttons = all(".kernels button"), articles = all("article.kernel"), used = all(".lines .used");
const kernelsOf = (line) => line.dataset.kernels.split(" ");
function choose(number) {
  for (const item of [...buttons, ...articles]) item.classList.toggle("chosen", item.dataset.kernel === number);
  for (const button of buttons) button.classList.remove("computes");
  for (const line of used) line.classList.toggle("marked", kernelsOf(line).includes(number));
  const first = used.find((line) => line.classList.contains("marked"));
  const panel = document.querySelector(".source");
  if (first && panel) panel.scrollTop = first.offsetTop - panel.offsetTop - panel.clientHeight / 3;
  history.replaceState(null, "", "#" + number);
}
for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.kernel));
for (const line of used) line.addEventListener("click", () => {
  const numbers = kernelsOf(line);
  choose(numbers[0]);
  for (const button of buttons) button.classList.toggle("computes", numbers.includes(button.dataset.kernel));
});
const filter = document.querySelector("#filter"), apart = document.querySelector("#apart"), rows = all("#decisions tbody tr");
function sift() {
  const words = filter.value.toLowerCase();
  for (const row of rows)
    row.hidden = (apart.checked && row.dataset.fused === "true") || !row.textContent.toLowerCase().includes(words);
}
filter.addEventListener("input", sift);
apart.addEventListener("change", sift);
const asked = location.hash.slice(1);
if (buttons.length > 0) choose(buttons.some((button) => button.dataset.kernel === asked) ? asked : "0");
`;
