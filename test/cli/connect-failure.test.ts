import { describe, expect, it } from 'vitest';
import { sayConnectFailure } from '#cli/connect-failure';

const failure = (code: string) => Object.assign(new Error(`system words (${code})`), { code });

describe('why a router cannot be reached', () => {
  it('is told with what to do, for certificates too', () => {
    expect(sayConnectFailure(failure('ECONNREFUSED'))).toBe('nothing listens there; is the router running?');
    expect(sayConnectFailure(failure('DEPTH_ZERO_SELF_SIGNED_CERT'))).toContain('NODE_EXTRA_CA_CERTS');
    expect(sayConnectFailure(failure('CERT_NOT_YET_VALID'))).toContain('clock');
  });

  it('is told in the words of the system where it is a rare one, and as unknown where there are none', () => {
    expect(sayConnectFailure(failure('ENETDOWN'))).toBe('system words (ENETDOWN)');
    expect(sayConnectFailure(undefined)).toBe('unknown failure');
  });
});
