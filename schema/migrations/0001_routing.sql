ALTER TABLE `attempts` ADD `role` text;--> statement-breakpoint
ALTER TABLE `rollups` ADD `uptime_attempts` integer;--> statement-breakpoint
ALTER TABLE `rollups` ADD `ttft_ms_histogram` text;--> statement-breakpoint
ALTER TABLE `rollups` ADD `throughput_histogram` text;--> statement-breakpoint
CREATE INDEX `rollups_endpoint_time` ON `rollups` (`endpoint_id`,`bucket_ms`);