/** Stands in for the Account object in Workers that keep no accounts, so that every subject starts with the same bindings. */
import { DurableObject } from 'cloudflare:workers';

export class Account extends DurableObject {}
