/** Product cues of a Pushcart show, as events in media time. */

export interface CuesOptions {
  /** The player behind the video: an Hls (1.7.1 or later), a shaka.Player, or null for the browser's own HLS. */
  player?: object | null;
  /** The show's playlist, which contents are found beside. By default what the player or the video has loaded. */
  url?: string | URL;
  /** The viewer's locale, a BCP 47 tag; "en" by default. */
  locale?: string;
  /** The viewer's currency, an ISO 4217 code. By default whatever comes first in a product's prices. */
  currency?: string;
  /** The viewer's market, for products whose prices differ by market: "US". */
  market?: string;
  /**
   * How to hear of prices and stock between revisions. "auto", the default, is "events" (server-sent events) on
   * https: and "poll" elsewhere, where browsers open few connections.
   */
  facts?: 'auto' | 'events' | 'poll' | 'off';
  /** In place of the browser's own. */
  fetch?: typeof globalThis.fetch;
}

/** Money in minor units of its currency. list is what it cost before. */
export interface Price {
  amount: number;
  list?: number;
}

export interface Product {
  id: string;
  url?: string;
  image?: string;
  title: string;
  description: string;
  /** By currency ("USD"), or by market and currency ("US-USD"). */
  prices?: Record<string, Price>;
  stock?: number;
  /** Where its specification is. */
  spec?: string;
  [field: string]: unknown;
}

/** What a cue says, in the viewer's locale or what comes nearest. */
export interface Content {
  locale: string;
  text?: string;
  products?: Product[];
  /** When a countdown is at zero, RFC 3339. */
  until?: string;
  data?: Record<string, unknown>;
  [field: string]: unknown;
}

export interface Cue {
  readonly id: string;
  readonly rev: number;
  /** "product", "hide", "countdown", "message", or the caller's own. "hide" is up and shows nothing. */
  readonly kind: string;
  readonly slot: string;
  /** Program date-time in milliseconds of its first frame. */
  readonly start: number;
  /** Of the first frame without it; null while nobody knows. */
  readonly end: number | null;
  /** First 16 hexadecimal digits of the SHA-256 of the content with all locales. */
  readonly hash: string;
  /** null if it could not be fetched. */
  readonly content: Content | null;
}

export interface CueEvent extends Event {
  /** time is the media time of the frame, in seconds; null if the video has not shown one. */
  readonly detail: { readonly cue: Cue; readonly time: number | null };
}

export interface CueUpdateEvent extends Event {
  readonly detail: { readonly cue: Cue; readonly previous: Cue; readonly time: number };
}

export interface ContentEvent extends Event {
  readonly detail: { readonly id: string; readonly rev: number; readonly content: Content | null };
}

export interface CuesEventMap {
  /** A cue has come up with the frame at time. */
  enter: CueEvent;
  /** Another revision of a cue took over without a gap, or its content has come after all. */
  update: CueUpdateEvent;
  /** The frame at time is the first without the cue. */
  exit: CueEvent;
  /** The content of a cue has come, mostly some seconds before the cue: the time to fetch its pictures. */
  content: ContentEvent;
  /** Prices or stock have changed: ask offer() again. */
  facts: Event;
}

export interface Offer extends Partial<Price> {
  currency?: string;
  stock?: number;
}

export interface Cues extends EventTarget {
  readonly video: HTMLVideoElement;
  readonly locale: string;
  readonly currency?: string;
  readonly market?: string;
  /** What is up with the frame on the screen, by start; one cue in each slot at most. */
  readonly active: readonly Cue[];
  /** Program date-time in milliseconds of the frame on the screen; null before the first. */
  readonly date: number | null;
  /** A product's price for this viewer, or what comes nearest, and its stock, by the newest facts. */
  offer(product: Product): Offer;
  /** Ends all that is up, and lets go of player, video and network. */
  detach(): void;
  addEventListener<K extends keyof CuesEventMap>(type: K, listener: (event: CuesEventMap[K]) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof CuesEventMap>(type: K, listener: (event: CuesEventMap[K]) => void, options?: boolean | EventListenerOptions): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

/** Listens to a player's show until detach(). Attach before the player loads, so that nothing is missed. */
export function attach(video: HTMLVideoElement, options?: CuesOptions): Cues;

/** What knows the dates of a Shaka player's media times. */
export interface DateLine {
  /** Program date-time in milliseconds at a media time in seconds; null if it is not known. */
  dateAt(time: number): number | null;
  stop(): void;
}

/**
 * Keeps Shaka Player (5.2.12) going when a host goes and comes back: it gets to see playlists whose dates do not step.
 * attach() does it too; it has to be done before the player loads.
 */
export function straighten(player: object): DateLine;
