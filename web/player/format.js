// What the page says, in words and figures.

// wordsFor returns what the notice says in a phase: a headline, and a line of detail.
export function wordsFor(phase) {
  switch (phase) {
    case 'waiting': return ['The show has not started yet', 'It starts here by itself.'];
    case 'starting': return ['One moment', ''];
    case 'buffering': return ['One moment', ''];
    case 'interrupted': return ['The host is reconnecting', 'The show goes on by itself.'];
    case 'offline': return ['No connection', 'Trying again.'];
    case 'ended': return ['The show has ended', 'Thank you for watching.'];
    case 'unsupported': return ['This browser can’t play the show', 'Please try a current version of Chrome, Firefox or Safari.'];
    case 'missing': return ['The player has not been built', 'Run “make web”, then build the server again.'];
    default: return ['One moment', ''];
  }
}

// showName reads the show's name off the page's path: /live/NAME/.
export function showName(path) {
  const last = path.split('/').filter(Boolean).at(-1) ?? '';
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

// titleOf makes a name fit for people: summer-sale becomes Summer sale.
export function titleOf(name) {
  const words = name.replace(/[-_.+]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// latencyText renders a latency in seconds. The program date-time tells the true one, if the viewer's clock
// is right; the player's own distance to the edge tells when it is not.
export function latencyText(fromDate, fromEdge) {
  const known = Number.isFinite(fromDate) && fromDate > 0 && fromDate < 600;
  const near = !Number.isFinite(fromEdge) || Math.abs(fromDate - fromEdge) < 2.5;
  const seconds = known && near ? fromDate : fromEdge;
  if (!Number.isFinite(seconds) || seconds < 0) return '';
  return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s behind live`;
}
