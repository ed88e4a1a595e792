import { afterEach, describe, expect, it, vi } from 'vitest';
import { sayConnectFailure } from '#cli/router/connect-failure';

const failure = (code: string) => Object.assign(new Error(`system words (${code})`), { code });

afterEach(() => vi.unstubAllEnvs());

describe('why a router cannot be reached', () => {
  it('is told with what to do, for certificates too', () => {
    expect(sayConnectFailure(failure('ECONNREFUSED'))).toBe('nothing listens there; is the router running?');
    expect(sayConnectFailure(failure('DEPTH_ZERO_SELF_SIGNED_CERT'))).toContain('NODE_EXTRA_CA_CERTS');
    expect(sayConnectFailure(failure('CERT_NOT_YET_VALID'))).toContain('clock');
  });

  it('names a proxy that is not used, where one would explain it', () => {
    vi.stubEnv('HTTPS_PROXY', 'http://proxy.example:3128');
    expect(sayConnectFailure(failure('ENOTFOUND'))).toBe('no such host; HTTPS_PROXY is used only with NODE_USE_ENV_PROXY=1');
    expect(sayConnectFailure(failure('CERT_HAS_EXPIRED'))).not.toContain('PROXY');
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    expect(sayConnectFailure(failure('ENOTFOUND'))).toBe('no such host');
  });

  it('is told in the words of the system where it is a rare one, and as unknown where there are none', () => {
    expect(sayConnectFailure(failure('ENETDOWN'))).toBe('system words (ENETDOWN)');
    expect(sayConnectFailure(undefined)).toBe('unknown failure');
  });
});
