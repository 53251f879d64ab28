import type { Cue, Cues, Product } from './index.js';

export interface Labels {
  /** On the button of a product that has an address. */
  view?: string;
  soldOut?: string;
  /** When few are left. */
  left?: (stock: number) => string;
  /** Read out before the price that is struck through. */
  was?: string;
}

export interface CardOptions {
  labels?: Labels;
  /** For figures and the direction of writing; that of the cues by default. */
  locale?: string;
}

/** detail of the cancelable "select" event, which the host element gets before a product's link is followed. */
export interface Selection {
  cue: Cue;
  product: Product;
}

/** Shows a card for each slot's cue in host, which is hidden while there is none. Returns what ends it. */
export function showCards(cues: Cues, host: HTMLElement, options?: CardOptions): () => void;

/** Renders minor units of a currency: money(3999, "USD", "en") is "$39.99". */
export function money(amount: number | undefined, currency: string | undefined, locale?: string): string;

/** Renders a span in milliseconds: clock(65_000) is "1:05". */
export function clock(ms: number): string;
