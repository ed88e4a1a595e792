CREATE TABLE `audit` (
	`id` text PRIMARY KEY NOT NULL,
	`at_ms` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`object` text NOT NULL,
	`from_version` text,
	`to_version` text,
	`changes` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `audit_time` ON `audit` (`at_ms`);--> statement-breakpoint
CREATE TABLE `manifests` (
	`version` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`digest` text NOT NULL,
	`text` text,
	`applied_at_ms` integer NOT NULL,
	`actor` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `policy_versions` (
	`name` text NOT NULL,
	`version` integer NOT NULL,
	`document` text NOT NULL,
	`applied_at_ms` integer NOT NULL,
	PRIMARY KEY(`name`, `version`)
);
--> statement-breakpoint
CREATE TABLE `provider_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`provider_id` text NOT NULL,
	`name` text NOT NULL,
	`label` text NOT NULL,
	`origin` text NOT NULL,
	`seal_key_id` text NOT NULL,
	`sealed` text NOT NULL,
	`disabled` integer DEFAULT false NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `provider_keys_team_provider` ON `provider_keys` (`team_id`,`provider_id`);--> statement-breakpoint
ALTER TABLE `attempts` ADD `byok` integer;--> statement-breakpoint
ALTER TABLE `keys` ADD `limits` text;--> statement-breakpoint
ALTER TABLE `keys` ADD `previous_hash` text;--> statement-breakpoint
ALTER TABLE `keys` ADD `previous_expires_at_ms` integer;--> statement-breakpoint
CREATE UNIQUE INDEX `keys_previous_hash` ON `keys` (`previous_hash`);--> statement-breakpoint
ALTER TABLE `receipts` ADD `byok_nano_usd` integer;--> statement-breakpoint
CREATE INDEX `receipts_key_byok` ON `receipts` (`key_id`,`created_at_ms`,`byok_nano_usd`) WHERE "receipts"."byok_nano_usd" is not null;--> statement-breakpoint
CREATE INDEX `journal_account_time` ON `journal` (`account`,`posted_at_ms`,`amount_nano_usd`);