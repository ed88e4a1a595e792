/** Pieces of SVG that the plots share. */

/** Writes a line of text at a place. */
export function text(at: { x: number; y: number }, content: string, className: string, attributes = ''): string {
  return `<text class="${className}" x="${round(at.x)}" y="${round(at.y)}" ${attributes}>${escapeXml(content)}</text>`;
}

/** Rounds to a tenth of a pixel. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Makes text safe to stand between tags and in attributes. */
export function escapeXml(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
