// The card's looks. Everything a shop may want to change is a custom property or a part. A card stands upright in a
// narrow place, and lies in a wide one; nothing moves but its coming, and that not for those who mind.
export default `
:host {
  --ground: var(--pushcart-ground, #fff);
  --ink: var(--pushcart-ink, #1d1a20);
  --quiet: var(--pushcart-quiet, #645d6b);
  --accent: var(--pushcart-accent, #c4203b);
  --on-accent: var(--pushcart-on-accent, #fff);
  --round: var(--pushcart-radius, 18px);
  display: grid;
  gap: 12px;
  font: var(--pushcart-font, 16px/1.35 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif);
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; margin: 0; }
.slot { container-type: inline-size; }
.slot:empty { display: none; }
.card {
  overflow: hidden auto;
  max-height: var(--pushcart-max-height, 80vh);
  border-radius: var(--round);
  background: var(--ground);
  color: var(--ink);
  box-shadow: 0 12px 36px rgb(0 0 0 / 30%);
  text-align: start;
  animation: come .22s ease-out;
}
.product {
  display: flex;
  flex-direction: column;
  width: 100%;
  padding: 0;
  border: 0;
  background: none;
  color: inherit;
  font: inherit;
  text-align: start;
  text-decoration: none;
  cursor: pointer;
}
.product + .product, .text + .product { border-block-start: 1px solid rgb(128 120 136 / 25%); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: -3px; border-radius: var(--round); }
.image { width: 100%; aspect-ratio: 4 / 3; object-fit: cover; background: rgb(128 120 136 / 12%); }
.about { display: flex; flex: 1; flex-direction: column; min-width: 0; gap: 4px; padding: 16px; }
.about > * { text-align: start; overflow-wrap: anywhere; }
.title { font-size: 1.25em; font-weight: 700; line-height: 1.2; }
.description, .stock { color: var(--quiet); font-size: .9em; }
.description { display: -webkit-box; overflow: hidden; -webkit-box-orient: vertical; -webkit-line-clamp: 2; }
.prices { display: flex; flex-wrap: wrap; align-items: baseline; gap: 8px; margin-block-start: 4px; }
.price { font-size: 1.35em; font-weight: 750; font-variant-numeric: tabular-nums; }
.list { color: var(--quiet); }
.stock { color: var(--accent); font-weight: 600; }
.button {
  margin-block-start: 8px;
  padding: 10px 18px;
  border-radius: 99px;
  background: var(--accent);
  color: var(--on-accent);
  font-weight: 650;
  text-align: center !important;
}
.product:hover .button { filter: brightness(1.1); }
.out .image { opacity: .5; }
.out .button { visibility: hidden; }
.text { padding: 16px; font-size: 1.1em; font-weight: 600; }
.time { display: block; padding: 0 16px 14px; font-size: 2em; font-weight: 750; font-variant-numeric: tabular-nums; }
.time:first-child { padding-block-start: 14px; }
.several .image { align-self: stretch; width: 88px; flex: none; aspect-ratio: 1; max-height: none; }
.several .product { flex-direction: row; align-items: center; }
.several .title { font-size: 1.05em; }
.several .about { padding-block: 10px; }
.several .description, .several .button { display: none; }
@container (min-width: 341px) {
  .product { flex-direction: row; }
  .image { width: 38%; flex: none; aspect-ratio: auto; max-height: 220px; }
  .about { padding: 12px 14px; gap: 2px; }
  .button { align-self: start; padding: 7px 18px; margin-block-start: 6px; }
  .kind-countdown:not(:has(.product)) { display: flex; align-items: center; justify-content: space-between; }
  .text + .time { padding-block: 10px; }
}
@media (max-height: 500px) {
  .image { aspect-ratio: 2; }
  .several .image { width: 56px; aspect-ratio: 1; }
  .description { display: none; }
  .about { padding: 10px 14px; gap: 2px; }
  .button { margin-block-start: 4px; padding-block: 7px; }
}
@keyframes come { from { transform: translateY(10px); } }
@media (prefers-reduced-motion: reduce) { .card { animation: none; } }
`;
