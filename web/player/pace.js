// Keeps the distance to the live edge that the server asks for: a little faster when it has grown, a
// little slower when it has shrunk, and a jump when speed would take too long. Pure: no player, no clock.
//
// hls.js has a catch-up of its own, but it needs a whole second of media in hand, which a player at a
// distance of 0.65 s never has.

const fastest = 1.1; // hardly anybody hears it: browsers keep the pitch
const slowest = 0.96;
const jumpBeyond = 3; // seconds; at the fastest rate they would take half a minute

// pace answers { rate } or { jump: true }. All inputs are in seconds: latency is the distance to the edge,
// target the one to keep, ahead what is in the buffer; rate is the present one. fresh says that the picture
// has only just appeared, or come back: nobody minds a jump then, if what it leads to is there already.
export function pace({ latency, target, ahead, rate = 1, fresh = false }) {
  const excess = latency - target;
  if (excess > jumpBeyond) return { jump: true };
  if (fresh && excess > 0.4 && ahead > excess + 0.3) return { jump: true };
  // What is in hand has to last until the next part arrives; only then is there anything to gain.
  const safe = ahead > Math.max(0.3, target * 0.4);
  const start = rate > 1 ? 0.03 : 0.12; // once on the way, go all the way
  if (excess > start && safe) return { rate: Math.min(fastest, round(1.02 + excess * 0.08)) };
  const slow = rate < 1 ? -0.03 : -0.2;
  if (excess < slow) return { rate: Math.max(slowest, round(0.99 + excess * 0.05)) };
  return { rate: 1 };
}

// Few different rates: each change costs the browser's time stretcher a new start.
const round = (x) => Math.round(x * 50) / 50;

// Patience is the extra distance of a viewer whose own connection stumbles. It grows with each stall that
// was not the host's fault, and is forgotten bit by bit while all goes well.
export class Patience {
  constructor({ step = 0.3, most = 2, forgetAfterMs = 45_000 } = {}) {
    Object.assign(this, { step, most, forgetAfterMs, extra: 0, since: 0 });
  }

  // stalled notes a stall at the time now, in milliseconds.
  stalled(now) {
    this.extra = Math.min(this.most, this.extra + this.step);
    this.since = now;
  }

  // at returns the extra distance at the time now, in seconds.
  at(now) {
    while (this.extra > 0 && now - this.since >= this.forgetAfterMs) {
      this.extra = Math.max(0, this.extra - this.step);
      this.since += this.forgetAfterMs;
    }
    return this.extra;
  }
}
