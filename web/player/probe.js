// Asks the server how a show stands, by the same playlists that players read, without their blocking
// directives: answers that a CDN gives to everyone who asks within the same second.

// firstPlaylist returns the first media playlist that a multivariant playlist names, or null.
export function firstPlaylist(text) {
  let wanted = false;
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#EXT-X-STREAM-INF:')) wanted = true;
    else if (wanted && line && !line.startsWith('#')) return line.trim();
  }
  return null;
}

// edgeOf makes one number, which grows whenever media is added, of the segment in progress and the number of
// parts it has so far.
export const edgeOf = (msn, parts) => msn * 1000 + parts;

// readPlaylist tells whether a media playlist is of a show that is over, and where its edge is.
export function readPlaylist(text) {
  let msn = 0;
  let parts = 0;
  let ended = false;
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#EXT-X-MEDIA-SEQUENCE:')) msn = Number(line.slice(22));
    else if (line.startsWith('#EXT-X-SKIP:')) msn += Number(/SKIPPED-SEGMENTS=(\d+)/.exec(line)?.[1] ?? 0);
    else if (line.startsWith('#EXT-X-PART:')) parts++;
    else if (line.startsWith('#EXT-X-ENDLIST')) ended = true;
    else if (line && !line.startsWith('#')) { msn++; parts = 0; }
  }
  return { ended, edge: edgeOf(msn, parts) };
}

// makeProbe returns an asynchronous function that says { status, edge }. It never throws. The status is
//   'absent'       there is no such show, or it can't be played yet
//   'live'         there is; edge says how far it has come
//   'ended'        it is over
//   'unreachable'  nobody can tell: no network, or the server is in trouble
export function makeProbe(url, { fetch = globalThis.fetch.bind(globalThis), timeoutMs = 8000 } = {}) {
  let media = null; // address of a media playlist, once it is known

  const read = async (address) => {
    const answer = await fetch(address, { cache: 'no-cache', signal: AbortSignal.timeout(timeoutMs) });
    if (answer.ok) return { text: await answer.text(), url: answer.url || address };
    // 503: a host is there, but nothing to play yet.
    return { status: [403, 404, 410, 503].includes(answer.status) ? 'absent' : 'unreachable' };
  };

  return async function probe() {
    try {
      if (!media) {
        const list = await read(url);
        if (list.status) return list;
        const name = firstPlaylist(list.text);
        if (!name) return { status: 'absent' };
        media = new URL(name, list.url).href;
      }
      const list = await read(media);
      if (list.status) {
        media = null; // the next show may name it otherwise
        return list;
      }
      const { ended, edge } = readPlaylist(list.text);
      if (ended) media = null;
      return { status: ended ? 'ended' : 'live', edge };
    } catch {
      return { status: 'unreachable' };
    }
  };
}
