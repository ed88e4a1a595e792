import { describe, expect, it } from 'vitest';
import { drawTerminal } from '#scripts/terminal-svg.ts';

describe('the picture of a terminal', () => {
  it('has a line for each, with the styles that the CLI writes and none that it does not', () => {
    const picture = drawTerminal('a & b', ['\u001b[32mlinked\u001b[39m; \u001b[2mat\u001b[22m <here>', '\u001b[4mplain\u001b[24m']);
    expect(picture).toContain('<title>a &amp; b</title>');
    expect(picture).toContain('<tspan class="green">linked</tspan>; <tspan class="dim">at</tspan> &lt;here&gt;</text>');
    expect(picture).toContain('y="65" xml:space="preserve">plain</text>');
    expect(picture).toContain('viewBox="0 0 960 79"');
    // oxlint-disable-next-line no-control-regex -- it is what must not be left
    expect(picture).not.toMatch(/\u001b/);
  });
});
