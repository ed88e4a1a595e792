ALTER TABLE `nodes` ADD `trouble` text;--> statement-breakpoint
ALTER TABLE `operators` ADD `customers` text;--> statement-breakpoint
ALTER TABLE `registrations` ADD `vouched_by` text;--> statement-breakpoint
ALTER TABLE `registrations` ADD `vouched_at_ms` integer;--> statement-breakpoint
ALTER TABLE `offers` ADD `model_id` text;--> statement-breakpoint
UPDATE `registrations` SET `vouched_by` = 'manager', `vouched_at_ms` = `proven_at_ms` WHERE `node_id` IS NULL AND `challenge` IS NULL AND `proven_at_ms` IS NOT NULL;
