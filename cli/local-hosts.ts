/** Private hosts that a local router may call; a deployed one names its own. */
export const LOCAL_HOSTS = ['127.0.0.1', 'localhost', '::1'];
