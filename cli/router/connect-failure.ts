/** Why a connection could not be made, in words with what to do. */

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; is the router running?',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name cannot be looked up now',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed; if it is yours, name it in NODE_EXTRA_CA_CERTS',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an unknown authority; if that is yours, name it in NODE_EXTRA_CA_CERTS',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an unknown authority; if that is yours, name it in NODE_EXTRA_CA_CERTS',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of an unknown authority; if that is yours, name it in NODE_EXTRA_CA_CERTS',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; is the clock of this machine right?',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is of another name',
  EPROTO: 'it does not speak TLS there',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS there',
};

/** Puts the error of a connection into words; the system's own where it is a rare one. */
export function sayConnectFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure';
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return `${REASONS[code] ?? error.message}${UNREACHED.has(code) ? sayProxy(process.env) : ''}`;
}

/** Failures that a proxy on the way would explain. */
const UNREACHED = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'ENETUNREACH', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

/** Node goes through a proxy only when it is told to, whatever the environment names. https://nodejs.org/api/cli.html#node_use_env_proxy1 */
function sayProxy({ HTTPS_PROXY, https_proxy: lower, NODE_USE_ENV_PROXY: use }: NodeJS.ProcessEnv): string {
  return (HTTPS_PROXY ?? lower ?? '') === '' || use === '1' ? '' : '; HTTPS_PROXY is used only with NODE_USE_ENV_PROXY=1';
}
