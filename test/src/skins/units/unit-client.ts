/** Plays a client of a unit operation, without a router: reads requests, writes answers. */
import type { GatewayError } from '#schema/error';
import { NOTHING_USED, type Usage } from '#schema/receipt';
import type { AnswerLabels, ClientUnit, Settlement, UnitSkin } from '#schema/skin';
import type { UnitReply } from '#schema/unit';
import { wavOf } from './wav.ts';

export const LABELS: AnswerLabels = { id: 'gen-1', createdAtS: 1_795_000_000, model: 'a/b', provider: 'Rig' };

/** Reads a request for the model `a/b`. */
export function read(skin: UnitSkin, fields: Record<string, unknown>): ClientUnit {
  return skin.read({ model: 'a/b', ...fields }, new Headers());
}

/** Reads a request that must be refused. */
export function refusal(skin: UnitSkin, fields: Record<string, unknown>): GatewayError {
  try {
    read(skin, fields);
  } catch (error) {
    return error as GatewayError;
  }
  throw new Error('expected a refusal');
}

/** Settles a request at 0.003 USD, a third of it for the prompt. */
export function settled(usage: Partial<Usage>): Settlement {
  return { usage: { ...NOTHING_USED, ...usage }, chargedNanoUsd: 3_000_000, promptNanoUsd: 1_000_000, endedAtS: 2, routerMetadata: null };
}

/** How clients see what `settled` charges, and that nobody reported it. */
export const CHARGE = {
  cost: 0.003,
  is_byok: false,
  cost_details: { upstream_inference_cost: 0.003, upstream_inference_prompt_cost: 0.001, upstream_inference_completions_cost: 0.002 },
  headrace: { source: 'counted' },
};

/** Makes an upstream's answer. */
export function said(reply: Partial<UnitReply>): UnitReply {
  return { upstreamId: null, json: null, text: null, bytes: null, usage: null, units: null, ...reply };
}

/** Two and a half seconds of silence. */
export const PCM = wavOf({ seconds: 2.5 });
export const FILE = { field: 'file', name: 'a.wav', contentType: 'audio/wav', bytes: PCM };
