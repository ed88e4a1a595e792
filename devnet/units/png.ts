/** A PNG writer for pictures of two colours (W3C PNG, third edition). */
import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const STRIPE_PIXELS = 32;
const LIGHT = [0xf4, 0xf1, 0xe8];

/** Draws diagonal stripes, light and in a colour that follows from the seed; the comment stands in the file as text. */
export function drawStripes(wish: { width: number; height: number; seed: number; comment: string }): Buffer {
  const { width, height, seed, comment } = wish;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // One bit a pixel, an index into the palette.
  header.set([1, 3, 0, 0, 0], 8);
  const dark = [seed & 0x7f, (seed >>> 8) & 0x7f, (seed >>> 16) & 0x7f];
  const rows = Buffer.concat(Array.from({ length: height }, (_, y) => toRow(width, y)));
  return Buffer.concat([
    SIGNATURE,
    toChunk('IHDR', header),
    toChunk('PLTE', Buffer.from([...LIGHT, ...dark])),
    toChunk('tEXt', Buffer.from(`Comment\0${comment}`, 'latin1')),
    toChunk('IDAT', deflateSync(rows)),
    toChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Packs one row: the filter byte, then eight pixels a byte. */
function toRow(width: number, y: number): Buffer {
  const row = Buffer.alloc(1 + Math.ceil(width / 8));
  for (let x = 0; x < width; x += 1) {
    const isDark = Math.floor((x + y) / STRIPE_PIXELS) % 2 === 1;
    if (isDark) row[1 + (x >> 3)] = (row[1 + (x >> 3)] ?? 0) | (0x80 >> (x & 7));
  }
  return row;
}

function toChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}
