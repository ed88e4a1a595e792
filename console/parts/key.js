/** The key lives as long as this tab, and nowhere else. Storage can be forbidden; then it lives in the field. */

const KEY_ITEM = 'headrace.key';

export function rememberKey(key) {
  try {
    sessionStorage.setItem(KEY_ITEM, key);
  } catch {
    return;
  }
}

export function recallKey() {
  try {
    return sessionStorage.getItem(KEY_ITEM) ?? '';
  } catch {
    return '';
  }
}
