/** Stand in for the Durable Objects in Workers that keep neither accounts nor health, so that every subject starts with the same bindings. */
import { DurableObject } from 'cloudflare:workers';

export class Account extends DurableObject {}
export class HealthBoard extends DurableObject {}
export class NodeLink extends DurableObject {}
