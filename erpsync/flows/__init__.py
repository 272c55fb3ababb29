"""Use cases: each owns its transactions, and every step may run twice and end the same.

Each room is a story; imports between rooms only go down (a contract of `pyproject.toml`).

| story | room | begin at |
|---|---|---|
| an order comes in by polling | `intake` | `intake.poll.poll_stream` |
| a webhook is stored, then applied | `intake` | `intake.webhooks.apply_inbox` |
| an order or refund is decided | `orders` | `orders.apply.apply` |
| a newer view was not understood | `records` | `records.unread.take_unread` |
| a person holds, releases or cancels an order | `orders` | `orders.actions.hold_order` |
| a line is made as its buyer wants it | `specs` | `specs.reading.with_specs` |
| a person says how a line is to be made | `audit` | `audit.specify.specify` |
| it is said how SKUs are planned | `inventory` | `inventory.items.import_items` |
| a seller's rules judge orders | `rules` | `rules.judging.rule` |
| an order is judged again, as time or something beside it changes | `audit` | `audit.looks.judge_due` |
| a person says yes to what a rule asks | `audit` | `audit.approve.approve` |
| a person tags or seals an order | `audit` | `audit.marks.tag_order` |
| it is said what rules would do | `audit` | `audit.trial.holds_change` |
| an order is made here | `own_orders` | `own_orders.create.create_order` |
| an order that was made here ends | `own_orders` | `own_orders.complete.complete_own` |
| it is said why ready orders stay | `explain` | `explain.staying.why_orders_stay` |
| an own order that no warehouse takes is given up | `own_orders` | `own_orders.drop_refused.drop_refused` |
| a paid order gets its units | `allocation` | `allocation.allocate.allocate` |
| stock is counted | `inventory` | `inventory.counts.import_counts` |
| a seller code becomes our SKU | `inventory` | `inventory.listings.import_listings` |
| a channel is told how many it may sell | `availability` | `availability.push.push_stock` |
| a parcel left | `shipments` | `shipments.record.ship` |
| the channel is told of a parcel | `shipments` | `shipments.push.push_shipments` |
| a refund stops a parcel | `shipments` | `shipments.gate.rule` |
| a courier is asked where parcels are | `intake` | `intake.track_questions.ask_tracks` |
| what a courier tells of a parcel counts | `shipments` | `shipments.tracks.apply_tracks` |
| a parcel waits for its first scan | `shipments` | `shipments.unscanned.wait_for_scans` |
| a release gets its courier's number | `couriers` | `couriers.wanted.want_waybills` |
| a courier is asked to carry a parcel | `couriers` | `couriers.push.push_waybills` |
| a warehouse is told what to send | `warehouses` | `warehouses.release.release_ready` |
| a slip or a label is printed | `desk` | `desk.printing.print_papers` |
| a warehouse reports | `warehouses` | `warehouses.reports.apply_warehouse` |
| releases of a desk are picked together | `desk` | `desk.waves.make_wave` |
| a parcel is scanned and leaves the desk | `desk` | `desk.scans.leave` |
| a person takes a release out of the pile | `desk` | `desk.stops.stop` |
| a shop does not answer | `channels` | `channels.health.mark_down` |
| a token is renewed | `channels` | `channels.credentials.rescue` |
| what we hold is compared with a channel | `reconcile` | `reconcile.compare.reconcile` |
| a dead letter is tried again | `operations` | `operations.dead_letters.replay_letter` |
| a task is answered | `operations` | `operations.tasks.finish_task` |
| what is wrong is told, and that it is over | `alarms` | `alarms.watch.watch` |
| what is known of when orders come | `alarms` | `alarms.arrivals.learn_arrivals` |
| an order is late | `alarms` | `alarms.late_orders.tell_late` |
| old data is deleted | `operations` | `operations.prune.prune` |
| notes of older orders are filled in | `operations` | `operations.fill_notes.fill_notes` |
| older orders are found by their recipient | `operations` | `operations.fill_recipients.fill_recipients` |
| keys are rotated | `operations` | `operations.rotate_keys.rotate_keys` |
| a backup is made | `backups` | `backups.backup.take_backup` |
| a lost database is had again | `backups` | `backups.restore.restore` |
| a program's token is looked at | `access` | `access.tokens.access_of` |
| a person logs in | `access` | `access.log_in.log_in` |
| a person's session is looked at | `access` | `access.sessions.visitor_of` |
| a person takes another password | `access` | `access.own.change_password` |
| why a number or an order is as it is | `explain` | `explain.explain.explain` |
| orders, or stock, become a file | `exports` | `exports.orders.pages_of` |
| a program is told of events | `api` | `api.event_webhooks.push_events` |
| a department is told of events | `messages` | `messages.tell.push_messages` |
"""
