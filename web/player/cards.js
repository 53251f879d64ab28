// The product cards beside the picture: joins the overlay, as shops get it, to whichever player the page has.
//
// The page's address may say ?lang=fr-CA&currency=CAD&market=CA; what it leaves out, the browser's languages tell.

import { currencyOf, labelsFor, marketOf } from './market.js';

// viewer says for whom the cards are: { locale, currency, market }.
export function viewer(search, languages) {
  const asked = new URLSearchParams(search);
  const locale = asked.get('lang') || languages[0] || 'en';
  const market = (asked.get('market') ?? marketOf(locale)) || undefined;
  return { locale, market, currency: asked.get('currency')?.toUpperCase() || currencyOf(market) };
}

export class Cards {
  constructor({ video, host, url, assets }) {
    Object.assign(this, { video, host, url, assets, cues: null });
    this.turn = 0;
    this.for = viewer(location.search, navigator.languages ?? []);
    // Room is made once, for good.
    new MutationObserver(() => {
      if (!host.hidden) host.closest('.show').classList.add('carded');
    }).observe(host, { attributeFilter: ['hidden'] });
  }

  // follow shows the cues that a player plays; null for no player.
  async follow(engine) {
    const mine = ++this.turn;
    this.end?.();
    this.cues?.detach();
    this.end = this.cues = null;
    if (!engine) return;
    const { video, host, url, assets } = this;
    const [{ attach }, { showCards }] = await Promise.all([import(`${assets}dist/cues.js`), import(`${assets}dist/card.js`)]);
    if (mine !== this.turn) return;
    this.cues = attach(video, { player: engine.player, url, ...this.for });
    this.end = showCards(this.cues, host, { labels: labelsFor(this.for.locale) });
  }
}
