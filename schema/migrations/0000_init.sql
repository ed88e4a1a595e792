CREATE TABLE `aliases` (
	`alias` text PRIMARY KEY NOT NULL,
	`model_id` text NOT NULL,
	`source` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `attempts` (
	`receipt_id` text NOT NULL,
	`attempt_index` integer NOT NULL,
	`endpoint_id` text NOT NULL,
	`provider_id` text NOT NULL,
	`supply` text NOT NULL,
	`started_at_ms` integer NOT NULL,
	`headers_ms` integer,
	`ttft_ms` integer,
	`duration_ms` integer NOT NULL,
	`outcome` text NOT NULL,
	`failure_kind` text,
	`failure_detail` text,
	`failure_origin` text,
	`retry_after_ms` integer,
	`status` integer,
	`prompt_tokens` integer NOT NULL,
	`completion_tokens` integer NOT NULL,
	`cost_nano_usd` integer NOT NULL,
	PRIMARY KEY(`receipt_id`, `attempt_index`)
);
--> statement-breakpoint
CREATE INDEX `attempts_time` ON `attempts` (`started_at_ms`);--> statement-breakpoint
CREATE INDEX `attempts_endpoint_time` ON `attempts` (`endpoint_id`,`started_at_ms`);--> statement-breakpoint
CREATE TABLE `claims` (
	`subject` text NOT NULL,
	`kind` text NOT NULL,
	`source` text NOT NULL,
	`evidence` text NOT NULL,
	`observed_at_ms` integer NOT NULL,
	`expires_at_ms` integer,
	PRIMARY KEY(`subject`, `kind`, `source`)
);
--> statement-breakpoint
CREATE TABLE `endpoints` (
	`id` text PRIMARY KEY NOT NULL,
	`provider_id` text NOT NULL,
	`operator_id` text NOT NULL,
	`tag` text NOT NULL,
	`supply` text NOT NULL,
	`owner_team_id` text,
	`model_id` text NOT NULL,
	`upstream_model` text NOT NULL,
	`url` text NOT NULL,
	`dialect` text NOT NULL,
	`key_secret` text,
	`engine` text,
	`hardware` text,
	`quantization` text NOT NULL,
	`kv_cache` text NOT NULL,
	`context` integer NOT NULL,
	`max_output` integer,
	`max_concurrency` integer,
	`capabilities` text NOT NULL,
	`jurisdiction` text NOT NULL,
	`data_policy` text NOT NULL,
	`verification` text NOT NULL,
	`disabled` integer DEFAULT false NOT NULL,
	`source` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `endpoints_model` ON `endpoints` (`model_id`);--> statement-breakpoint
CREATE TABLE `journal` (
	`batch_id` text NOT NULL,
	`account` text NOT NULL,
	`amount_nano_usd` integer NOT NULL,
	`posted_at_ms` integer NOT NULL,
	PRIMARY KEY(`batch_id`, `account`)
);
--> statement-breakpoint
CREATE TABLE `keys` (
	`id` text PRIMARY KEY NOT NULL,
	`hash` text NOT NULL,
	`label` text NOT NULL,
	`name` text NOT NULL,
	`team_id` text,
	`kind` text NOT NULL,
	`policy` text,
	`models` text,
	`budget_nano_usd` integer,
	`budget_period` text,
	`disabled` integer DEFAULT false NOT NULL,
	`expires_at_ms` integer,
	`source` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `keys_hash_unique` ON `keys` (`hash`);--> statement-breakpoint
CREATE INDEX `keys_team` ON `keys` (`team_id`);--> statement-breakpoint
CREATE TABLE `meta` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `models` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`created_at_s` integer NOT NULL,
	`context` integer,
	`input_modalities` text NOT NULL,
	`output_modalities` text NOT NULL,
	`source` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `offers` (
	`endpoint_id` text NOT NULL,
	`valid_from_ms` integer NOT NULL,
	`prompt_pico_usd_per_token` integer,
	`completion_pico_usd_per_token` integer,
	`cache_read_pico_usd_per_token` integer,
	`cache_write_pico_usd_per_token` integer,
	`request_nano_usd` integer DEFAULT 0 NOT NULL,
	`unit_pico_usd` integer,
	`source` text NOT NULL,
	PRIMARY KEY(`endpoint_id`, `valid_from_ms`)
);
--> statement-breakpoint
CREATE TABLE `policies` (
	`name` text PRIMARY KEY NOT NULL,
	`version` integer NOT NULL,
	`document` text NOT NULL,
	`source` text NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `providers` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`supply` text NOT NULL,
	`key_secret` text,
	`source` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `receipts` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`key_id` text NOT NULL,
	`policy` text NOT NULL,
	`policy_version` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`api` text NOT NULL,
	`stream` integer NOT NULL,
	`state` text NOT NULL,
	`error_code` text,
	`requested_model` text NOT NULL,
	`model` text NOT NULL,
	`endpoint_id` text,
	`provider_id` text,
	`provider_name` text,
	`supply` text,
	`tier` text,
	`finish_reason` text,
	`native_finish_reason` text,
	`upstream_id` text,
	`session_id` text,
	`usage_source` text NOT NULL,
	`prompt_tokens` integer NOT NULL,
	`completion_tokens` integer NOT NULL,
	`reasoning_tokens` integer NOT NULL,
	`cache_read_tokens` integer NOT NULL,
	`cache_write_tokens` integer NOT NULL,
	`units` real,
	`overhead_ms` integer NOT NULL,
	`ttft_ms` integer,
	`tpot_ms` real,
	`total_ms` integer NOT NULL,
	`charged_nano_usd` integer NOT NULL,
	`absorbed_nano_usd` integer NOT NULL,
	`held_nano_usd` integer NOT NULL,
	`batch_id` text NOT NULL,
	`plan` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `receipts_team_time` ON `receipts` (`team_id`,`created_at_ms`);--> statement-breakpoint
CREATE INDEX `receipts_key_time` ON `receipts` (`key_id`,`created_at_ms`,`charged_nano_usd`);--> statement-breakpoint
CREATE TABLE `rollups` (
	`bucket_ms` integer NOT NULL,
	`endpoint_id` text NOT NULL,
	`attempts` integer NOT NULL,
	`successes` integer NOT NULL,
	`prompt_tokens` integer NOT NULL,
	`completion_tokens` integer NOT NULL,
	`cost_nano_usd` integer NOT NULL,
	`ttft_ms_p50` integer,
	`ttft_ms_p90` integer,
	PRIMARY KEY(`bucket_ms`, `endpoint_id`)
);
--> statement-breakpoint
CREATE TABLE `teams` (
	`id` text PRIMARY KEY NOT NULL,
	`policy` text,
	`budget_nano_usd` integer,
	`budget_period` text,
	`limits` text,
	`created_at_ms` integer NOT NULL
);
