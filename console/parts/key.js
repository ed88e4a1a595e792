/** A key lives as long as this tab, and nowhere else. Storage can be forbidden; then it lives in the field. */

const KEY_ITEM = 'headrace.key';
/** Where a management key is kept: beside the key to ask with, not in its place. */
export const MANAGEMENT_KEY_ITEM = 'headrace.management_key';

export function rememberKey(key, item = KEY_ITEM) {
  try {
    sessionStorage.setItem(item, key);
  } catch {
    return;
  }
}

export function recallKey(item = KEY_ITEM) {
  try {
    return sessionStorage.getItem(item) ?? '';
  } catch {
    return '';
  }
}
