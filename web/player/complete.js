// Shaka in the first seconds of a show.
//
// Shaka 5.2.12 gives up at a playlist that has no complete segment but gaps: it wants to look at the address of the open one, which has
// none as yet. So the answer to such a request is taken from the next one, which the server answers when the segment is complete.

const manifest = 0; // RequestType.MANIFEST

// waitForSegment is to be called before player.load.
export function waitForSegment(player) {
  player.getNetworkingEngine().registerResponseFilter(async (type, response) => {
    if (type !== manifest) return;
    const msn = onlyOpen(new TextDecoder().decode(response.data));
    if (msn === null) return;
    const url = new URL(response.uri);
    url.searchParams.set('_HLS_msn', msn);
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) response.data = await answer.arrayBuffer();
  });
}

// onlyOpen is the media sequence number of the open segment of a media playlist that has media in no other one; else null.
export function onlyOpen(text) {
  let msn = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)/m.exec(text)?.[1] ?? 0);
  let gap = false;
  let parts = false; // of the segment whose lines are read
  for (const line of text.split('\n')) {
    if (line.startsWith('#EXT-X-GAP')) gap = true;
    else if (line.startsWith('#EXT-X-PART:')) parts ||= !line.includes('GAP=YES');
    else if (line && !line.startsWith('#')) {
      if (!gap) return null;
      msn++;
      gap = parts = false;
    }
  }
  return parts ? msn : null;
}
