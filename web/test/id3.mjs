// id3 makes an ID3v2.4 tag of TXXX frames: [description, value], or with another frame's name behind.
export function id3(...frames) {
  const syncsafe = (n) => [n >> 21 & 127, n >> 14 & 127, n >> 7 & 127, n & 127];
  const body = frames.flatMap(([description, value, id = 'TXXX']) => {
    const data = [3, ...Buffer.from(`${description}\0${value}`)];
    return [...Buffer.from(id), ...syncsafe(data.length), 0, 0, ...data];
  });
  return Uint8Array.from([...Buffer.from('ID3'), 4, 0, 0, ...syncsafe(body.length), ...body]);
}
