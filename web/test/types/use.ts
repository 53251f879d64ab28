// Uses every name of the overlay's types; `npm test` has the compiler check it against them.
import { attach, type Cue, type Cues, type Offer } from '../../overlay/index.js';
import { clock, money, showCards, type Selection } from '../../overlay/card.js';

declare const video: HTMLVideoElement;
declare const host: HTMLElement;

const cues: Cues = attach(video, { player: null, url: 'index.m3u8', locale: 'fr', currency: 'EUR', market: 'FR', facts: 'off' });
cues.addEventListener('enter', ({ detail: { cue, time } }) => {
  const seconds: number | null = time;
  const title: string | undefined = cue.content?.products?.[0]?.title;
  console.log(cue.id, cue.rev, seconds, title);
});
cues.addEventListener('update', ({ detail }) => console.log(detail.previous.rev < detail.cue.rev));
cues.addEventListener('content', ({ detail: { content } }) => console.log(content?.text));
cues.addEventListener('facts', () => {
  for (const cue of cues.active) for (const p of cue.content?.products ?? []) show(cue, cues.offer(p));
});
function show(cue: Cue, { amount, currency, stock }: Offer) {
  console.log(cue.slot, money(amount, currency, cues.locale), stock);
}
const end = showCards(cues, host, { labels: { view: 'Buy', left: (n) => `${n} left` }, locale: 'ar' });
host.addEventListener('select', (event) => {
  const { product } = (event as CustomEvent<Selection>).detail;
  console.log(product.id, clock(65_000), cues.date);
});
end();
cues.detach();
// @ts-expect-error the active cues are not for writing
cues.active.push(cues.active[0]);
// @ts-expect-error no such way to hear of facts
attach(video, { facts: 'sometimes' });
