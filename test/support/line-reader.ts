/** Reads server-sent events as plain scripts do: line by line, `data: ` cut off, everything else skipped. */
import { request } from 'node:http';

export interface LineAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** What follows `data: `, in order. */
  data: string[];
  /** All other lines that are not empty. */
  others: string[];
}

/** POSTs JSON over a bare HTTP client and reads the answer line by line. */
export function postByLine(url: string, headers: Record<string, string>, body: unknown): Promise<LineAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => void (text += piece));
      response.on('error', reject);
      response.on('end', () => {
        const lines = text.split(/\r?\n/).filter((line) => line !== '');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          data: lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice('data: '.length)),
          others: lines.filter((line) => !line.startsWith('data: ')),
        });
      });
    });
    call.on('error', reject);
    call.end(JSON.stringify(body));
  });
}
