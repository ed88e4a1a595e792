CREATE TABLE `endpoint_keys` (
	`endpoint_id` text PRIMARY KEY NOT NULL,
	`origin` text NOT NULL,
	`seal_key_id` text NOT NULL,
	`sealed` text NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `held_prices` (
	`endpoint_id` text NOT NULL,
	`feed_id` text NOT NULL,
	`seen_at_ms` integer NOT NULL,
	`terms` text NOT NULL,
	`reason` text NOT NULL,
	`decision` text,
	`decided_by` text,
	`decided_at_ms` integer,
	PRIMARY KEY(`endpoint_id`, `seen_at_ms`)
);
--> statement-breakpoint
CREATE TABLE `join_tokens` (
	`hash` text PRIMARY KEY NOT NULL,
	`operator_id` text NOT NULL,
	`node_id` text,
	`created_by` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`used_at_ms` integer,
	`used_by_node_id` text
);
--> statement-breakpoint
CREATE TABLE `nodes` (
	`id` text PRIMARY KEY NOT NULL,
	`operator_id` text NOT NULL,
	`public_key` text NOT NULL,
	`description` text NOT NULL,
	`drained` integer DEFAULT false NOT NULL,
	`joined_at_ms` integer NOT NULL,
	`linked_at_ms` integer,
	`unlinked_at_ms` integer,
	`left_at_ms` integer
);
--> statement-breakpoint
CREATE INDEX `nodes_operator` ON `nodes` (`operator_id`);--> statement-breakpoint
CREATE TABLE `operators` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`team_id` text,
	`clean_completions` integer DEFAULT 0 NOT NULL,
	`counted_to_ms` integer NOT NULL,
	`created_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `price_feeds` (
	`id` text PRIMARY KEY NOT NULL,
	`terms` text,
	`source` text NOT NULL,
	`read_at_ms` integer,
	`good_at_ms` integer,
	`error` text,
	`next_read_at_ms` integer DEFAULT 0 NOT NULL,
	`failed_readings` integer DEFAULT 0 NOT NULL,
	`model_count` integer DEFAULT 0 NOT NULL,
	`change_count` integer DEFAULT 0 NOT NULL,
	`missing` text DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE TABLE `registration_events` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`endpoint_id` text NOT NULL,
	`at_ms` integer NOT NULL,
	`from_state` text,
	`to_state` text NOT NULL,
	`reason` text,
	`actor` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `registration_events_endpoint` ON `registration_events` (`endpoint_id`,`id`);--> statement-breakpoint
CREATE TABLE `registrations` (
	`endpoint_id` text PRIMARY KEY NOT NULL,
	`operator_id` text NOT NULL,
	`node_id` text,
	`state` text NOT NULL,
	`reason` text,
	`since_ms` integer NOT NULL,
	`challenge` text,
	`proven_at_ms` integer,
	`addresses` text,
	`seen` text,
	`expected` text,
	`capacity` text,
	`probed_at_ms` integer,
	`next_probe_at_ms` integer NOT NULL,
	`failed_probes` integer DEFAULT 0 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `registrations_operator` ON `registrations` (`operator_id`);--> statement-breakpoint
CREATE INDEX `registrations_node` ON `registrations` (`node_id`);--> statement-breakpoint
CREATE INDEX `registrations_due` ON `registrations` (`next_probe_at_ms`);--> statement-breakpoint
ALTER TABLE `keys` ADD `operator_id` text;