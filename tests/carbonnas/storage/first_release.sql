PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES('0001');
CREATE TABLE searches (
	created INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	config VARCHAR NOT NULL, 
	seed BIGINT NOT NULL, 
	slots INTEGER NOT NULL, 
	objectives JSON NOT NULL, 
	budgets JSON NOT NULL, 
	bound_g_per_kwh FLOAT NOT NULL, 
	state VARCHAR NOT NULL, 
	stop_reason VARCHAR, 
	started_at VARCHAR NOT NULL, 
	ended_at VARCHAR, 
	deadline VARCHAR, 
	clock VARCHAR, 
	clock_at VARCHAR NOT NULL, 
	measurement JSON NOT NULL, 
	position JSON NOT NULL, 
	strategy_state BLOB NOT NULL, 
	executor_state VARCHAR, 
	PRIMARY KEY (created), 
	UNIQUE (id)
);
INSERT INTO searches VALUES(1,'ended-fe3a8320','ended','fe3a8320cebe3765cc4c75913bdc0b87167e4423212b9b8f3e3b74c0be1e1eac',replace('[search]\nname = "ended"\nseed = 1\nslots = 2\nrounds = 2\nscore_per_round = 5\ntrain_per_round = 2\nepochs = 12\nfull_epochs = 20\nrank_by = ["params", "macs"]\ndeadline = "40 min"\n[space]\nuse = "nasbench201"\n[strategy]\nuse = "regularized_evolution"\n[scoring]\nuse = "tabular"\npath = "table.csv"\nscore_seconds = 60.0\nfull_seconds_factor = 2.0\n[training]\nuse = "tabular"\npath = "table.csv"\nscore_seconds = 60.0\nfull_seconds_factor = 2.0\n[carbon_source]\nuse = "trace"\npath = "trace.csv"\n[scheduler]\nuse = "carbon_blind"\n[energy]\nuse = "constant_power"\ntrain = "300 W"\nscore = "100 W"\nidle = "50 W"\n[executor]\nuse = "simulated"\n[clock]\nuse = "simulated"\nstart = "2021-01-08T00:00:00+00:00"\n[[budgets]]\nlimit = "5 kg"\nwindow = "day"\n','\n',char(10)),1,2,'["maximize val_accuracy", "minimize params"]','[{"limit_g": 5000.0, "window": "day", "at_limit": "stop", "warn_at": 0.8, "timezone": "UTC"}]',1050.0,'stopped','deadline','2021-01-08T00:00:00.000000Z','2021-01-08T00:40:00.000000Z','2021-01-08T00:40:00.000000Z','Simulated time from 2021-01-08 00:00 UTC; no work was really done.','2021-01-08T00:40:00.000000Z','{"meter": "constant_power", "method": "Nothing was measured: each kind of work was charged a constant power that was configured.", "details": {"train_w": "300", "score_w": "100", "idle_w": "50", "slots": "2"}, "caveat": "All of the energy is modelled: it follows time alone, so it is only as good as the configured powers.", "modelled": true}','{"asked": 2, "told": 0, "promoted": 1, "final_planned": false}',X'c8000000000000007b2261727261792f706f70756c6174696f6e223a7b226474797065223a22493634222c227368617065223a5b302c365d2c22646174615f6f666673657473223a5b302c305d7d2c2261727261792f76616c756573223a7b226474797065223a22463634222c227368617065223a5b305d2c22646174615f6f666673657473223a5b302c305d7d2c226a736f6e223a7b226474797065223a225538222c227368617065223a5b3138335d2c22646174615f6f666673657473223a5b302c3138335d7d7d2020202020207b22726e67223a207b226269745f67656e657261746f72223a20225043473634222c20226861735f75696e743332223a20302c20227374617465223a207b22696e63223a203139343833373435373830363036303733323633333334343834353136363339353336363433372c20227374617465223a2034313832343135313630383235393130383237343136333035303430383537373138343530367d2c202275696e7465676572223a203234303734363932317d7d','[{"trial": 5, "attempt": 1, "request": [[2, 0, 3, 2, 3, 1], "train", "search", 12, 5917727897477967685], "checkpoint": "STATE-FOLDER/searches/ended-fe3a8320/checkpoints/trial-5.checkpoint", "timeout_s": 21600.0, "start": "2021-01-08T00:03:00+00:00", "end": "2021-01-08T01:43:00+00:00", "reported": "2021-01-08T00:40:00+00:00", "kind": "completed", "evaluation": [{"val_accuracy": 0.58, "params": 3000.0, "macs": 30000.0}, 6000.0], "failure": null, "epoch_s": 500.0, "done": 0, "leaving": null}, {"trial": 6, "attempt": 1, "request": [[2, 4, 0, 4, 3, 2], "train", "search", 12, 4084636431698370867], "checkpoint": "STATE-FOLDER/searches/ended-fe3a8320/checkpoints/trial-6.checkpoint", "timeout_s": 21600.0, "start": "2021-01-08T00:03:00+00:00", "end": "2021-01-08T01:23:00+00:00", "reported": "2021-01-08T00:40:00+00:00", "kind": "completed", "evaluation": [{"val_accuracy": 0.53, "params": 2100.0, "macs": 20000.0}, 4800.0], "failure": null, "epoch_s": 400.0, "done": 0, "leaving": null}]');
INSERT INTO searches VALUES(2,'running-de252afc','running','FINGERPRINT',replace('[search]\nname = "running"\nseed = 2\nslots = 2\nrounds = 2\nscore_per_round = 5\ntrain_per_round = 2\nepochs = 12\nfull_epochs = 20\nrank_by = ["params", "macs"]\n[space]\nuse = "nasbench201"\n[strategy]\nuse = "regularized_evolution"\n[scoring]\nuse = "tabular"\npath = "table.csv"\nscore_seconds = 60.0\nfull_seconds_factor = 2.0\n[training]\nuse = "tabular"\npath = "table.csv"\nscore_seconds = 60.0\nfull_seconds_factor = 2.0\n[carbon_source]\nuse = "trace"\npath = "trace.csv"\n[scheduler]\nuse = "carbon_blind"\n[energy]\nuse = "constant_power"\ntrain = "300 W"\nscore = "100 W"\nidle = "50 W"\n[executor]\nuse = "simulated"\n[clock]\nuse = "simulated"\nstart = "2021-01-08T00:00:00+00:00"\n[[budgets]]\nlimit = "5 kg"\nwindow = "day"\n','\n',char(10)),2,2,'["maximize val_accuracy", "minimize params"]','[{"limit_g": 5000.0, "window": "day", "at_limit": "stop", "warn_at": 0.8, "timezone": "UTC"}]',1050.0,'running',NULL,'2021-01-08T00:00:00.000000Z',NULL,NULL,'Simulated time from 2021-01-08 00:00 UTC; no work was really done.','2021-01-08T00:14:00.000000Z','{"meter": "constant_power", "method": "Nothing was measured: each kind of work was charged a constant power that was configured.", "details": {"train_w": "300", "score_w": "100", "idle_w": "50", "slots": "2"}, "caveat": "All of the energy is modelled: it follows time alone, so it is only as good as the configured powers.", "modelled": true}','{"asked": 2, "told": 0, "promoted": 1, "final_planned": false}',X'c8000000000000007b2261727261792f706f70756c6174696f6e223a7b226474797065223a22493634222c227368617065223a5b302c365d2c22646174615f6f666673657473223a5b302c305d7d2c2261727261792f76616c756573223a7b226474797065223a22463634222c227368617065223a5b305d2c22646174615f6f666673657473223a5b302c305d7d2c226a736f6e223a7b226474797065223a225538222c227368617065223a5b3138355d2c22646174615f6f666673657473223a5b302c3138355d7d7d2020202020207b22726e67223a207b226269745f67656e657261746f72223a20225043473634222c20226861735f75696e743332223a20302c20227374617465223a207b22696e63223a203237383939313737393231303137323935353537343838383037303435393932393532313130352c20227374617465223a203136353831343235383237313830343436363737373039383937343139383836373735373439347d2c202275696e7465676572223a20343035383533363939337d7d','[{"trial": 5, "attempt": 1, "request": [[3, 3, 1, 4, 4, 3], "train", "search", 12, 7559769545567967818], "checkpoint": "STATE-FOLDER/searches/running-de252afc/checkpoints/trial-5.checkpoint", "timeout_s": 21600.0, "start": "2021-01-08T00:03:00+00:00", "end": "2021-01-08T02:03:00+00:00", "reported": "2021-01-08T00:14:00+00:00", "kind": "completed", "evaluation": [{"val_accuracy": 0.65, "params": 3700.0, "macs": 40000.0}, 7200.0], "failure": null, "epoch_s": 600.0, "done": 0, "leaving": null}, {"trial": 6, "attempt": 1, "request": [[3, 2, 2, 3, 2, 4], "train", "search", 12, 3445351389063326323], "checkpoint": "STATE-FOLDER/searches/running-de252afc/checkpoints/trial-6.checkpoint", "timeout_s": 21600.0, "start": "2021-01-08T00:03:00+00:00", "end": "2021-01-08T01:43:00+00:00", "reported": "2021-01-08T00:14:00+00:00", "kind": "completed", "evaluation": [{"val_accuracy": 0.63, "params": 3100.0, "macs": 30000.0}, 6000.0], "failure": null, "epoch_s": 500.0, "done": 0, "leaving": null}]');
CREATE TABLE decisions (
	id INTEGER NOT NULL, 
	search_id VARCHAR NOT NULL, 
	time VARCHAR NOT NULL, 
	intensity_g_per_kwh FLOAT, 
	train_slots INTEGER NOT NULL, 
	score_slots INTEGER NOT NULL, 
	reason_code VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	review_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(search_id) REFERENCES searches (id)
);
INSERT INTO decisions VALUES(1,'ended-fe3a8320','2021-01-08T00:00:00.000000Z',500.0,0,2,'carbon_blind','work runs whatever the intensity, but nothing is ready to train','2021-01-08T01:00:00.000000Z');
INSERT INTO decisions VALUES(2,'ended-fe3a8320','2021-01-08T00:03:00.000000Z',500.0,2,0,'carbon_blind','work runs whatever the intensity','2021-01-08T01:03:00.000000Z');
INSERT INTO decisions VALUES(3,'running-de252afc','2021-01-08T00:00:00.000000Z',500.0,0,2,'carbon_blind','work runs whatever the intensity, but nothing is ready to train','2021-01-08T01:00:00.000000Z');
INSERT INTO decisions VALUES(4,'running-de252afc','2021-01-08T00:03:00.000000Z',500.0,2,0,'carbon_blind','work runs whatever the intensity','2021-01-08T01:03:00.000000Z');
CREATE TABLE trials (
	search_id VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	round INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	fidelity VARCHAR NOT NULL, 
	epochs INTEGER NOT NULL, 
	architecture JSON NOT NULL, 
	"key" VARCHAR NOT NULL, 
	seed BIGINT NOT NULL, 
	state VARCHAR NOT NULL, 
	attempt INTEGER NOT NULL, 
	queued_at VARCHAR NOT NULL, 
	started_at VARCHAR, 
	ended_at VARCHAR, 
	metrics JSON NOT NULL, 
	failure VARCHAR, 
	PRIMARY KEY (search_id, number), 
	FOREIGN KEY(search_id) REFERENCES searches (id)
);
INSERT INTO trials VALUES('ended-fe3a8320',0,0,'score','proxy',0,'[2, 0, 3, 2, 3, 1]','|nor_conv_1x1~0|+|none~0|nor_conv_3x3~1|+|nor_conv_1x1~0|nor_conv_3x3~1|skip_connect~2|',4564123342004062526,'completed',1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z','{"params": 3000.0, "macs": 30000.0}',NULL);
INSERT INTO trials VALUES('ended-fe3a8320',1,0,'score','proxy',0,'[2, 2, 4, 0, 1, 4]','|nor_conv_1x1~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|none~0|skip_connect~1|avg_pool_3x3~2|',6263276332145047605,'completed',1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z','{"params": 1200.0, "macs": 10000.0}',NULL);
INSERT INTO trials VALUES('ended-fe3a8320',2,0,'score','proxy',0,'[2, 4, 0, 4, 3, 2]','|nor_conv_1x1~0|+|avg_pool_3x3~0|none~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_1x1~2|',5397044617592674573,'completed',1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z','{"params": 2100.0, "macs": 20000.0}',NULL);
INSERT INTO trials VALUES('ended-fe3a8320',3,0,'score','proxy',0,'[2, 0, 0, 3, 4, 0]','|nor_conv_1x1~0|+|none~0|none~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|',5299494951237302628,'completed',1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z','{"params": 2000.0, "macs": 20000.0}',NULL);
INSERT INTO trials VALUES('ended-fe3a8320',4,0,'score','proxy',0,'[1, 2, 4, 1, 4, 3]','|skip_connect~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|',4299738650427226097,'completed',1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z','{"params": 2000.0, "macs": 20000.0}',NULL);
INSERT INTO trials VALUES('ended-fe3a8320',7,1,'score','proxy',0,'[1, 0, 3, 1, 2, 1]','|skip_connect~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|skip_connect~2|',1363565483523702250,'completed',1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z','{"params": 2000.0, "macs": 20000.0}',NULL);
INSERT INTO trials VALUES('ended-fe3a8320',8,1,'score','proxy',0,'[3, 0, 0, 0, 3, 0]','|nor_conv_3x3~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|',8070673519249086117,'cancelled',1,'2021-01-08T00:00:00.000000Z',NULL,'2021-01-08T00:40:00.000000Z','{}',NULL);
INSERT INTO trials VALUES('ended-fe3a8320',9,1,'score','proxy',0,'[0, 2, 0, 3, 0, 2]','|none~0|+|nor_conv_1x1~0|none~1|+|nor_conv_3x3~0|none~1|nor_conv_1x1~2|',1836302682997863559,'cancelled',1,'2021-01-08T00:00:00.000000Z',NULL,'2021-01-08T00:40:00.000000Z','{}',NULL);
INSERT INTO trials VALUES('ended-fe3a8320',10,1,'score','proxy',0,'[0, 4, 0, 0, 0, 4]','|none~0|+|avg_pool_3x3~0|none~1|+|none~0|none~1|avg_pool_3x3~2|',6631527441598681692,'cancelled',1,'2021-01-08T00:00:00.000000Z',NULL,'2021-01-08T00:40:00.000000Z','{}',NULL);
INSERT INTO trials VALUES('ended-fe3a8320',11,1,'score','proxy',0,'[0, 0, 0, 3, 0, 0]','|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|',237920666776784598,'cancelled',1,'2021-01-08T00:00:00.000000Z',NULL,'2021-01-08T00:40:00.000000Z','{}',NULL);
INSERT INTO trials VALUES('ended-fe3a8320',5,0,'train','search',12,'[2, 0, 3, 2, 3, 1]','|nor_conv_1x1~0|+|none~0|nor_conv_3x3~1|+|nor_conv_1x1~0|nor_conv_3x3~1|skip_connect~2|',5917727897477967685,'cancelled',1,'2021-01-08T00:03:00.000000Z','2021-01-08T00:03:00.000000Z','2021-01-08T00:40:00.000000Z','{}',NULL);
INSERT INTO trials VALUES('ended-fe3a8320',6,0,'train','search',12,'[2, 4, 0, 4, 3, 2]','|nor_conv_1x1~0|+|avg_pool_3x3~0|none~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_1x1~2|',4084636431698370867,'cancelled',1,'2021-01-08T00:03:00.000000Z','2021-01-08T00:03:00.000000Z','2021-01-08T00:40:00.000000Z','{}',NULL);
INSERT INTO trials VALUES('running-de252afc',0,0,'score','proxy',0,'[4, 3, 2, 1, 1, 3]','|avg_pool_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|skip_connect~1|nor_conv_3x3~2|',1845263859678948905,'completed',1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z','{"params": 2900.0, "macs": 30000.0}',NULL);
INSERT INTO trials VALUES('running-de252afc',1,0,'score','proxy',0,'[3, 2, 2, 3, 2, 4]','|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|nor_conv_3x3~0|nor_conv_1x1~1|avg_pool_3x3~2|',2728825077185659636,'completed',1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z','{"params": 3100.0, "macs": 30000.0}',NULL);
INSERT INTO trials VALUES('running-de252afc',2,0,'score','proxy',0,'[3, 3, 1, 4, 4, 3]','|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|avg_pool_3x3~0|avg_pool_3x3~1|nor_conv_3x3~2|',7564155860293285145,'completed',1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z','{"params": 3700.0, "macs": 40000.0}',NULL);
INSERT INTO trials VALUES('running-de252afc',3,0,'score','proxy',0,'[0, 2, 0, 1, 0, 3]','|none~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|',4848097106219789912,'completed',1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z','{"params": 2000.0, "macs": 20000.0}',NULL);
INSERT INTO trials VALUES('running-de252afc',4,0,'score','proxy',0,'[2, 4, 0, 2, 3, 2]','|nor_conv_1x1~0|+|avg_pool_3x3~0|none~1|+|nor_conv_1x1~0|nor_conv_3x3~1|nor_conv_1x1~2|',304714624244928650,'completed',1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z','{"params": 2200.0, "macs": 20000.0}',NULL);
INSERT INTO trials VALUES('running-de252afc',7,1,'score','proxy',0,'[2, 3, 3, 1, 4, 2]','|nor_conv_1x1~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_1x1~2|',5390201124712393819,'completed',1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z','{"params": 3000.0, "macs": 30000.0}',NULL);
INSERT INTO trials VALUES('running-de252afc',8,1,'score','proxy',0,'[4, 0, 4, 3, 3, 2]','|avg_pool_3x3~0|+|none~0|avg_pool_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_1x1~2|',1827790926876990030,'queued',1,'2021-01-08T00:00:00.000000Z',NULL,NULL,'{}',NULL);
INSERT INTO trials VALUES('running-de252afc',9,1,'score','proxy',0,'[0, 4, 0, 4, 0, 1]','|none~0|+|avg_pool_3x3~0|none~1|+|avg_pool_3x3~0|none~1|skip_connect~2|',3606113219077994699,'queued',1,'2021-01-08T00:00:00.000000Z',NULL,NULL,'{}',NULL);
INSERT INTO trials VALUES('running-de252afc',10,1,'score','proxy',0,'[1, 0, 3, 3, 4, 4]','|skip_connect~0|+|none~0|nor_conv_3x3~1|+|nor_conv_3x3~0|avg_pool_3x3~1|avg_pool_3x3~2|',2581164734494414199,'queued',1,'2021-01-08T00:00:00.000000Z',NULL,NULL,'{}',NULL);
INSERT INTO trials VALUES('running-de252afc',11,1,'score','proxy',0,'[1, 0, 0, 2, 4, 4]','|skip_connect~0|+|none~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|avg_pool_3x3~2|',2250823501018204521,'queued',1,'2021-01-08T00:00:00.000000Z',NULL,NULL,'{}',NULL);
INSERT INTO trials VALUES('running-de252afc',5,0,'train','search',12,'[3, 3, 1, 4, 4, 3]','|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|avg_pool_3x3~0|avg_pool_3x3~1|nor_conv_3x3~2|',7559769545567967818,'running',1,'2021-01-08T00:03:00.000000Z','2021-01-08T00:03:00.000000Z',NULL,'{}',NULL);
INSERT INTO trials VALUES('running-de252afc',6,0,'train','search',12,'[3, 2, 2, 3, 2, 4]','|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|nor_conv_3x3~0|nor_conv_1x1~1|avg_pool_3x3~2|',3445351389063326323,'running',1,'2021-01-08T00:03:00.000000Z','2021-01-08T00:03:00.000000Z',NULL,'{}',NULL);
CREATE TABLE intensities (
	id INTEGER NOT NULL, 
	source VARCHAR NOT NULL, 
	zone VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	basis VARCHAR NOT NULL, 
	provenance VARCHAR NOT NULL, 
	start VARCHAR NOT NULL, 
	"end" VARCHAR NOT NULL, 
	g_per_kwh FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO intensities VALUES(157,'trace.csv','SUN','average','lifecycle','measured','2021-01-07T12:00:00.000000Z','2021-01-07T13:00:00.000000Z',100.0);
INSERT INTO intensities VALUES(158,'trace.csv','SUN','average','lifecycle','measured','2021-01-07T13:00:00.000000Z','2021-01-07T14:00:00.000000Z',106.81499999999999773);
INSERT INTO intensities VALUES(159,'trace.csv','SUN','average','lifecycle','measured','2021-01-07T14:00:00.000000Z','2021-01-07T15:00:00.000000Z',126.7950000000000017);
INSERT INTO intensities VALUES(160,'trace.csv','SUN','average','lifecycle','measured','2021-01-07T15:00:00.000000Z','2021-01-07T16:00:00.000000Z',158.57900000000000773);
INSERT INTO intensities VALUES(161,'trace.csv','SUN','average','lifecycle','measured','2021-01-07T16:00:00.000000Z','2021-01-07T17:00:00.000000Z',200.0);
INSERT INTO intensities VALUES(162,'trace.csv','SUN','average','lifecycle','measured','2021-01-07T17:00:00.000000Z','2021-01-07T18:00:00.000000Z',248.23599999999998999);
INSERT INTO intensities VALUES(163,'trace.csv','SUN','average','lifecycle','measured','2021-01-07T18:00:00.000000Z','2021-01-07T19:00:00.000000Z',300.0);
INSERT INTO intensities VALUES(164,'trace.csv','SUN','average','lifecycle','measured','2021-01-07T19:00:00.000000Z','2021-01-07T20:00:00.000000Z',351.76400000000001);
INSERT INTO intensities VALUES(165,'trace.csv','SUN','average','lifecycle','measured','2021-01-07T20:00:00.000000Z','2021-01-07T21:00:00.000000Z',400.0);
INSERT INTO intensities VALUES(166,'trace.csv','SUN','average','lifecycle','measured','2021-01-07T21:00:00.000000Z','2021-01-07T22:00:00.000000Z',441.42099999999999228);
INSERT INTO intensities VALUES(167,'trace.csv','SUN','average','lifecycle','measured','2021-01-07T22:00:00.000000Z','2021-01-07T23:00:00.000000Z',473.2049999999999841);
INSERT INTO intensities VALUES(168,'trace.csv','SUN','average','lifecycle','measured','2021-01-07T23:00:00.000000Z','2021-01-08T00:00:00.000000Z',493.18500000000000229);
INSERT INTO intensities VALUES(169,'trace.csv','SUN','average','lifecycle','measured','2021-01-08T00:00:00.000000Z','2021-01-08T01:00:00.000000Z',500.0);
CREATE TABLE ledger (
	id INTEGER NOT NULL, 
	entry_id VARCHAR NOT NULL, 
	search_id VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	trial INTEGER, 
	attempt INTEGER, 
	start VARCHAR NOT NULL, 
	"end" VARCHAR NOT NULL, 
	cpu_j FLOAT NOT NULL, 
	gpu_j FLOAT NOT NULL, 
	ram_j FLOAT NOT NULL, 
	pue FLOAT NOT NULL, 
	intensity_id INTEGER, 
	supersedes VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(intensity_id) REFERENCES intensities (id), 
	FOREIGN KEY(search_id) REFERENCES searches (id), 
	FOREIGN KEY(supersedes) REFERENCES ledger (entry_id), 
	UNIQUE (entry_id)
);
INSERT INTO ledger VALUES(1,'c2635295be37e4a6-1/0.0','ended-fe3a8320','trial',0,1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z',6000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(2,'c2635295be37e4a6-1/1.0','ended-fe3a8320','trial',1,1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z',6000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(3,'c2635295be37e4a6-1/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(4,'c2635295be37e4a6-2/0.0','ended-fe3a8320','trial',2,1,'2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z',6000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(5,'c2635295be37e4a6-2/1.0','ended-fe3a8320','trial',3,1,'2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z',6000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(6,'c2635295be37e4a6-2/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(7,'c2635295be37e4a6-3/0.0','ended-fe3a8320','trial',4,1,'2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z',6000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(8,'c2635295be37e4a6-3/1.0','ended-fe3a8320','trial',7,1,'2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z',6000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(9,'c2635295be37e4a6-3/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(10,'c2635295be37e4a6-4/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:03:00.000000Z','2021-01-08T00:04:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(11,'c2635295be37e4a6-4/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:03:00.000000Z','2021-01-08T00:04:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(12,'c2635295be37e4a6-4/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:03:00.000000Z','2021-01-08T00:04:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(13,'c2635295be37e4a6-5/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:04:00.000000Z','2021-01-08T00:05:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(14,'c2635295be37e4a6-5/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:04:00.000000Z','2021-01-08T00:05:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(15,'c2635295be37e4a6-5/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:04:00.000000Z','2021-01-08T00:05:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(16,'c2635295be37e4a6-6/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:05:00.000000Z','2021-01-08T00:06:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(17,'c2635295be37e4a6-6/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:05:00.000000Z','2021-01-08T00:06:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(18,'c2635295be37e4a6-6/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:05:00.000000Z','2021-01-08T00:06:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(19,'c2635295be37e4a6-7/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:06:00.000000Z','2021-01-08T00:07:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(20,'c2635295be37e4a6-7/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:06:00.000000Z','2021-01-08T00:07:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(21,'c2635295be37e4a6-7/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:06:00.000000Z','2021-01-08T00:07:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(22,'c2635295be37e4a6-8/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:07:00.000000Z','2021-01-08T00:08:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(23,'c2635295be37e4a6-8/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:07:00.000000Z','2021-01-08T00:08:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(24,'c2635295be37e4a6-8/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:07:00.000000Z','2021-01-08T00:08:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(25,'c2635295be37e4a6-9/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:08:00.000000Z','2021-01-08T00:09:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(26,'c2635295be37e4a6-9/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:08:00.000000Z','2021-01-08T00:09:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(27,'c2635295be37e4a6-9/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:08:00.000000Z','2021-01-08T00:09:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(28,'c2635295be37e4a6-10/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:09:00.000000Z','2021-01-08T00:10:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(29,'c2635295be37e4a6-10/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:09:00.000000Z','2021-01-08T00:10:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(30,'c2635295be37e4a6-10/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:09:00.000000Z','2021-01-08T00:10:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(31,'c2635295be37e4a6-11/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:10:00.000000Z','2021-01-08T00:11:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(32,'c2635295be37e4a6-11/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:10:00.000000Z','2021-01-08T00:11:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(33,'c2635295be37e4a6-11/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:10:00.000000Z','2021-01-08T00:11:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(34,'c2635295be37e4a6-12/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:11:00.000000Z','2021-01-08T00:12:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(35,'c2635295be37e4a6-12/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:11:00.000000Z','2021-01-08T00:12:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(36,'c2635295be37e4a6-12/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:11:00.000000Z','2021-01-08T00:12:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(37,'c2635295be37e4a6-13/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:12:00.000000Z','2021-01-08T00:13:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(38,'c2635295be37e4a6-13/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:12:00.000000Z','2021-01-08T00:13:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(39,'c2635295be37e4a6-13/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:12:00.000000Z','2021-01-08T00:13:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(40,'c2635295be37e4a6-14/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:13:00.000000Z','2021-01-08T00:14:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(41,'c2635295be37e4a6-14/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:13:00.000000Z','2021-01-08T00:14:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(42,'c2635295be37e4a6-14/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:13:00.000000Z','2021-01-08T00:14:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(43,'c2635295be37e4a6-15/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:14:00.000000Z','2021-01-08T00:15:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(44,'c2635295be37e4a6-15/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:14:00.000000Z','2021-01-08T00:15:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(45,'c2635295be37e4a6-15/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:14:00.000000Z','2021-01-08T00:15:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(46,'c2635295be37e4a6-16/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:15:00.000000Z','2021-01-08T00:16:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(47,'c2635295be37e4a6-16/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:15:00.000000Z','2021-01-08T00:16:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(48,'c2635295be37e4a6-16/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:15:00.000000Z','2021-01-08T00:16:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(49,'c2635295be37e4a6-17/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:16:00.000000Z','2021-01-08T00:17:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(50,'c2635295be37e4a6-17/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:16:00.000000Z','2021-01-08T00:17:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(51,'c2635295be37e4a6-17/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:16:00.000000Z','2021-01-08T00:17:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(52,'c2635295be37e4a6-18/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:17:00.000000Z','2021-01-08T00:18:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(53,'c2635295be37e4a6-18/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:17:00.000000Z','2021-01-08T00:18:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(54,'c2635295be37e4a6-18/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:17:00.000000Z','2021-01-08T00:18:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(55,'c2635295be37e4a6-19/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:18:00.000000Z','2021-01-08T00:19:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(56,'c2635295be37e4a6-19/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:18:00.000000Z','2021-01-08T00:19:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(57,'c2635295be37e4a6-19/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:18:00.000000Z','2021-01-08T00:19:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(58,'c2635295be37e4a6-20/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:19:00.000000Z','2021-01-08T00:20:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(59,'c2635295be37e4a6-20/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:19:00.000000Z','2021-01-08T00:20:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(60,'c2635295be37e4a6-20/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:19:00.000000Z','2021-01-08T00:20:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(61,'c2635295be37e4a6-21/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:20:00.000000Z','2021-01-08T00:21:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(62,'c2635295be37e4a6-21/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:20:00.000000Z','2021-01-08T00:21:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(63,'c2635295be37e4a6-21/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:20:00.000000Z','2021-01-08T00:21:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(64,'c2635295be37e4a6-22/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:21:00.000000Z','2021-01-08T00:22:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(65,'c2635295be37e4a6-22/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:21:00.000000Z','2021-01-08T00:22:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(66,'c2635295be37e4a6-22/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:21:00.000000Z','2021-01-08T00:22:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(67,'c2635295be37e4a6-23/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:22:00.000000Z','2021-01-08T00:23:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(68,'c2635295be37e4a6-23/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:22:00.000000Z','2021-01-08T00:23:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(69,'c2635295be37e4a6-23/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:22:00.000000Z','2021-01-08T00:23:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(70,'c2635295be37e4a6-24/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:23:00.000000Z','2021-01-08T00:24:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(71,'c2635295be37e4a6-24/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:23:00.000000Z','2021-01-08T00:24:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(72,'c2635295be37e4a6-24/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:23:00.000000Z','2021-01-08T00:24:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(73,'c2635295be37e4a6-25/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:24:00.000000Z','2021-01-08T00:25:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(74,'c2635295be37e4a6-25/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:24:00.000000Z','2021-01-08T00:25:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(75,'c2635295be37e4a6-25/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:24:00.000000Z','2021-01-08T00:25:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(76,'c2635295be37e4a6-26/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:25:00.000000Z','2021-01-08T00:26:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(77,'c2635295be37e4a6-26/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:25:00.000000Z','2021-01-08T00:26:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(78,'c2635295be37e4a6-26/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:25:00.000000Z','2021-01-08T00:26:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(79,'c2635295be37e4a6-27/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:26:00.000000Z','2021-01-08T00:27:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(80,'c2635295be37e4a6-27/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:26:00.000000Z','2021-01-08T00:27:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(81,'c2635295be37e4a6-27/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:26:00.000000Z','2021-01-08T00:27:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(82,'c2635295be37e4a6-28/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:27:00.000000Z','2021-01-08T00:28:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(83,'c2635295be37e4a6-28/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:27:00.000000Z','2021-01-08T00:28:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(84,'c2635295be37e4a6-28/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:27:00.000000Z','2021-01-08T00:28:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(85,'c2635295be37e4a6-29/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:28:00.000000Z','2021-01-08T00:29:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(86,'c2635295be37e4a6-29/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:28:00.000000Z','2021-01-08T00:29:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(87,'c2635295be37e4a6-29/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:28:00.000000Z','2021-01-08T00:29:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(88,'c2635295be37e4a6-30/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:29:00.000000Z','2021-01-08T00:30:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(89,'c2635295be37e4a6-30/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:29:00.000000Z','2021-01-08T00:30:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(90,'c2635295be37e4a6-30/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:29:00.000000Z','2021-01-08T00:30:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(91,'c2635295be37e4a6-31/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:30:00.000000Z','2021-01-08T00:31:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(92,'c2635295be37e4a6-31/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:30:00.000000Z','2021-01-08T00:31:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(93,'c2635295be37e4a6-31/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:30:00.000000Z','2021-01-08T00:31:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(94,'c2635295be37e4a6-32/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:31:00.000000Z','2021-01-08T00:32:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(95,'c2635295be37e4a6-32/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:31:00.000000Z','2021-01-08T00:32:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(96,'c2635295be37e4a6-32/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:31:00.000000Z','2021-01-08T00:32:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(97,'c2635295be37e4a6-33/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:32:00.000000Z','2021-01-08T00:33:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(98,'c2635295be37e4a6-33/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:32:00.000000Z','2021-01-08T00:33:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(99,'c2635295be37e4a6-33/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:32:00.000000Z','2021-01-08T00:33:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(100,'c2635295be37e4a6-34/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:33:00.000000Z','2021-01-08T00:34:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(101,'c2635295be37e4a6-34/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:33:00.000000Z','2021-01-08T00:34:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(102,'c2635295be37e4a6-34/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:33:00.000000Z','2021-01-08T00:34:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(103,'c2635295be37e4a6-35/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:34:00.000000Z','2021-01-08T00:35:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(104,'c2635295be37e4a6-35/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:34:00.000000Z','2021-01-08T00:35:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(105,'c2635295be37e4a6-35/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:34:00.000000Z','2021-01-08T00:35:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(106,'c2635295be37e4a6-36/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:35:00.000000Z','2021-01-08T00:36:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(107,'c2635295be37e4a6-36/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:35:00.000000Z','2021-01-08T00:36:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(108,'c2635295be37e4a6-36/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:35:00.000000Z','2021-01-08T00:36:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(109,'c2635295be37e4a6-37/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:36:00.000000Z','2021-01-08T00:37:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(110,'c2635295be37e4a6-37/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:36:00.000000Z','2021-01-08T00:37:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(111,'c2635295be37e4a6-37/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:36:00.000000Z','2021-01-08T00:37:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(112,'c2635295be37e4a6-38/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:37:00.000000Z','2021-01-08T00:38:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(113,'c2635295be37e4a6-38/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:37:00.000000Z','2021-01-08T00:38:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(114,'c2635295be37e4a6-38/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:37:00.000000Z','2021-01-08T00:38:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(115,'c2635295be37e4a6-39/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:38:00.000000Z','2021-01-08T00:39:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(116,'c2635295be37e4a6-39/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:38:00.000000Z','2021-01-08T00:39:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(117,'c2635295be37e4a6-39/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:38:00.000000Z','2021-01-08T00:39:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(118,'c2635295be37e4a6-40/0.0','ended-fe3a8320','trial',5,1,'2021-01-08T00:39:00.000000Z','2021-01-08T00:40:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(119,'c2635295be37e4a6-40/1.0','ended-fe3a8320','trial',6,1,'2021-01-08T00:39:00.000000Z','2021-01-08T00:40:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(120,'c2635295be37e4a6-40/2.0','ended-fe3a8320','idle',NULL,NULL,'2021-01-08T00:39:00.000000Z','2021-01-08T00:40:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(121,'005f07bb0b368e9d-1/0.0','running-de252afc','trial',0,1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z',6000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(122,'005f07bb0b368e9d-1/1.0','running-de252afc','trial',1,1,'2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z',6000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(123,'005f07bb0b368e9d-1/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(124,'005f07bb0b368e9d-2/0.0','running-de252afc','trial',2,1,'2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z',6000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(125,'005f07bb0b368e9d-2/1.0','running-de252afc','trial',3,1,'2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z',6000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(126,'005f07bb0b368e9d-2/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(127,'005f07bb0b368e9d-3/0.0','running-de252afc','trial',4,1,'2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z',6000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(128,'005f07bb0b368e9d-3/1.0','running-de252afc','trial',7,1,'2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z',6000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(129,'005f07bb0b368e9d-3/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(130,'005f07bb0b368e9d-4/0.0','running-de252afc','trial',5,1,'2021-01-08T00:03:00.000000Z','2021-01-08T00:04:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(131,'005f07bb0b368e9d-4/1.0','running-de252afc','trial',6,1,'2021-01-08T00:03:00.000000Z','2021-01-08T00:04:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(132,'005f07bb0b368e9d-4/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:03:00.000000Z','2021-01-08T00:04:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(133,'005f07bb0b368e9d-5/0.0','running-de252afc','trial',5,1,'2021-01-08T00:04:00.000000Z','2021-01-08T00:05:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(134,'005f07bb0b368e9d-5/1.0','running-de252afc','trial',6,1,'2021-01-08T00:04:00.000000Z','2021-01-08T00:05:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(135,'005f07bb0b368e9d-5/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:04:00.000000Z','2021-01-08T00:05:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(136,'005f07bb0b368e9d-6/0.0','running-de252afc','trial',5,1,'2021-01-08T00:05:00.000000Z','2021-01-08T00:06:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(137,'005f07bb0b368e9d-6/1.0','running-de252afc','trial',6,1,'2021-01-08T00:05:00.000000Z','2021-01-08T00:06:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(138,'005f07bb0b368e9d-6/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:05:00.000000Z','2021-01-08T00:06:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(139,'005f07bb0b368e9d-7/0.0','running-de252afc','trial',5,1,'2021-01-08T00:06:00.000000Z','2021-01-08T00:07:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(140,'005f07bb0b368e9d-7/1.0','running-de252afc','trial',6,1,'2021-01-08T00:06:00.000000Z','2021-01-08T00:07:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(141,'005f07bb0b368e9d-7/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:06:00.000000Z','2021-01-08T00:07:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(142,'005f07bb0b368e9d-8/0.0','running-de252afc','trial',5,1,'2021-01-08T00:07:00.000000Z','2021-01-08T00:08:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(143,'005f07bb0b368e9d-8/1.0','running-de252afc','trial',6,1,'2021-01-08T00:07:00.000000Z','2021-01-08T00:08:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(144,'005f07bb0b368e9d-8/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:07:00.000000Z','2021-01-08T00:08:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(145,'005f07bb0b368e9d-9/0.0','running-de252afc','trial',5,1,'2021-01-08T00:08:00.000000Z','2021-01-08T00:09:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(146,'005f07bb0b368e9d-9/1.0','running-de252afc','trial',6,1,'2021-01-08T00:08:00.000000Z','2021-01-08T00:09:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(147,'005f07bb0b368e9d-9/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:08:00.000000Z','2021-01-08T00:09:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(148,'005f07bb0b368e9d-10/0.0','running-de252afc','trial',5,1,'2021-01-08T00:09:00.000000Z','2021-01-08T00:10:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(149,'005f07bb0b368e9d-10/1.0','running-de252afc','trial',6,1,'2021-01-08T00:09:00.000000Z','2021-01-08T00:10:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(150,'005f07bb0b368e9d-10/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:09:00.000000Z','2021-01-08T00:10:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(151,'005f07bb0b368e9d-11/0.0','running-de252afc','trial',5,1,'2021-01-08T00:10:00.000000Z','2021-01-08T00:11:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(152,'005f07bb0b368e9d-11/1.0','running-de252afc','trial',6,1,'2021-01-08T00:10:00.000000Z','2021-01-08T00:11:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(153,'005f07bb0b368e9d-11/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:10:00.000000Z','2021-01-08T00:11:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(154,'005f07bb0b368e9d-12/0.0','running-de252afc','trial',5,1,'2021-01-08T00:11:00.000000Z','2021-01-08T00:12:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(155,'005f07bb0b368e9d-12/1.0','running-de252afc','trial',6,1,'2021-01-08T00:11:00.000000Z','2021-01-08T00:12:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(156,'005f07bb0b368e9d-12/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:11:00.000000Z','2021-01-08T00:12:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(157,'005f07bb0b368e9d-13/0.0','running-de252afc','trial',5,1,'2021-01-08T00:12:00.000000Z','2021-01-08T00:13:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(158,'005f07bb0b368e9d-13/1.0','running-de252afc','trial',6,1,'2021-01-08T00:12:00.000000Z','2021-01-08T00:13:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(159,'005f07bb0b368e9d-13/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:12:00.000000Z','2021-01-08T00:13:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(160,'005f07bb0b368e9d-14/0.0','running-de252afc','trial',5,1,'2021-01-08T00:13:00.000000Z','2021-01-08T00:14:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(161,'005f07bb0b368e9d-14/1.0','running-de252afc','trial',6,1,'2021-01-08T00:13:00.000000Z','2021-01-08T00:14:00.000000Z',18000.0,0.0,0.0,1.0,169,NULL);
INSERT INTO ledger VALUES(162,'005f07bb0b368e9d-14/2.0','running-de252afc','idle',NULL,NULL,'2021-01-08T00:13:00.000000Z','2021-01-08T00:14:00.000000Z',3000.0,0.0,0.0,1.0,169,NULL);
CREATE TABLE readings (
	reading_id VARCHAR NOT NULL, 
	part INTEGER NOT NULL, 
	search_id VARCHAR NOT NULL, 
	start VARCHAR NOT NULL, 
	"end" VARCHAR NOT NULL, 
	cpu_j FLOAT NOT NULL, 
	gpu_j FLOAT NOT NULL, 
	ram_j FLOAT NOT NULL, 
	PRIMARY KEY (reading_id, part), 
	FOREIGN KEY(search_id) REFERENCES searches (id)
);
INSERT INTO readings VALUES('c2635295be37e4a6-1',0,'ended-fe3a8320','2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z',6000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-1',1,'ended-fe3a8320','2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z',6000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-1',2,'ended-fe3a8320','2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-2',0,'ended-fe3a8320','2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z',6000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-2',1,'ended-fe3a8320','2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z',6000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-2',2,'ended-fe3a8320','2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-3',0,'ended-fe3a8320','2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z',6000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-3',1,'ended-fe3a8320','2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z',6000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-3',2,'ended-fe3a8320','2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-4',0,'ended-fe3a8320','2021-01-08T00:03:00.000000Z','2021-01-08T00:04:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-4',1,'ended-fe3a8320','2021-01-08T00:03:00.000000Z','2021-01-08T00:04:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-4',2,'ended-fe3a8320','2021-01-08T00:03:00.000000Z','2021-01-08T00:04:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-5',0,'ended-fe3a8320','2021-01-08T00:04:00.000000Z','2021-01-08T00:05:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-5',1,'ended-fe3a8320','2021-01-08T00:04:00.000000Z','2021-01-08T00:05:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-5',2,'ended-fe3a8320','2021-01-08T00:04:00.000000Z','2021-01-08T00:05:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-6',0,'ended-fe3a8320','2021-01-08T00:05:00.000000Z','2021-01-08T00:06:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-6',1,'ended-fe3a8320','2021-01-08T00:05:00.000000Z','2021-01-08T00:06:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-6',2,'ended-fe3a8320','2021-01-08T00:05:00.000000Z','2021-01-08T00:06:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-7',0,'ended-fe3a8320','2021-01-08T00:06:00.000000Z','2021-01-08T00:07:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-7',1,'ended-fe3a8320','2021-01-08T00:06:00.000000Z','2021-01-08T00:07:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-7',2,'ended-fe3a8320','2021-01-08T00:06:00.000000Z','2021-01-08T00:07:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-8',0,'ended-fe3a8320','2021-01-08T00:07:00.000000Z','2021-01-08T00:08:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-8',1,'ended-fe3a8320','2021-01-08T00:07:00.000000Z','2021-01-08T00:08:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-8',2,'ended-fe3a8320','2021-01-08T00:07:00.000000Z','2021-01-08T00:08:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-9',0,'ended-fe3a8320','2021-01-08T00:08:00.000000Z','2021-01-08T00:09:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-9',1,'ended-fe3a8320','2021-01-08T00:08:00.000000Z','2021-01-08T00:09:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-9',2,'ended-fe3a8320','2021-01-08T00:08:00.000000Z','2021-01-08T00:09:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-10',0,'ended-fe3a8320','2021-01-08T00:09:00.000000Z','2021-01-08T00:10:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-10',1,'ended-fe3a8320','2021-01-08T00:09:00.000000Z','2021-01-08T00:10:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-10',2,'ended-fe3a8320','2021-01-08T00:09:00.000000Z','2021-01-08T00:10:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-11',0,'ended-fe3a8320','2021-01-08T00:10:00.000000Z','2021-01-08T00:11:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-11',1,'ended-fe3a8320','2021-01-08T00:10:00.000000Z','2021-01-08T00:11:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-11',2,'ended-fe3a8320','2021-01-08T00:10:00.000000Z','2021-01-08T00:11:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-12',0,'ended-fe3a8320','2021-01-08T00:11:00.000000Z','2021-01-08T00:12:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-12',1,'ended-fe3a8320','2021-01-08T00:11:00.000000Z','2021-01-08T00:12:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-12',2,'ended-fe3a8320','2021-01-08T00:11:00.000000Z','2021-01-08T00:12:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-13',0,'ended-fe3a8320','2021-01-08T00:12:00.000000Z','2021-01-08T00:13:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-13',1,'ended-fe3a8320','2021-01-08T00:12:00.000000Z','2021-01-08T00:13:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-13',2,'ended-fe3a8320','2021-01-08T00:12:00.000000Z','2021-01-08T00:13:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-14',0,'ended-fe3a8320','2021-01-08T00:13:00.000000Z','2021-01-08T00:14:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-14',1,'ended-fe3a8320','2021-01-08T00:13:00.000000Z','2021-01-08T00:14:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-14',2,'ended-fe3a8320','2021-01-08T00:13:00.000000Z','2021-01-08T00:14:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-15',0,'ended-fe3a8320','2021-01-08T00:14:00.000000Z','2021-01-08T00:15:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-15',1,'ended-fe3a8320','2021-01-08T00:14:00.000000Z','2021-01-08T00:15:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-15',2,'ended-fe3a8320','2021-01-08T00:14:00.000000Z','2021-01-08T00:15:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-16',0,'ended-fe3a8320','2021-01-08T00:15:00.000000Z','2021-01-08T00:16:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-16',1,'ended-fe3a8320','2021-01-08T00:15:00.000000Z','2021-01-08T00:16:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-16',2,'ended-fe3a8320','2021-01-08T00:15:00.000000Z','2021-01-08T00:16:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-17',0,'ended-fe3a8320','2021-01-08T00:16:00.000000Z','2021-01-08T00:17:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-17',1,'ended-fe3a8320','2021-01-08T00:16:00.000000Z','2021-01-08T00:17:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-17',2,'ended-fe3a8320','2021-01-08T00:16:00.000000Z','2021-01-08T00:17:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-18',0,'ended-fe3a8320','2021-01-08T00:17:00.000000Z','2021-01-08T00:18:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-18',1,'ended-fe3a8320','2021-01-08T00:17:00.000000Z','2021-01-08T00:18:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-18',2,'ended-fe3a8320','2021-01-08T00:17:00.000000Z','2021-01-08T00:18:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-19',0,'ended-fe3a8320','2021-01-08T00:18:00.000000Z','2021-01-08T00:19:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-19',1,'ended-fe3a8320','2021-01-08T00:18:00.000000Z','2021-01-08T00:19:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-19',2,'ended-fe3a8320','2021-01-08T00:18:00.000000Z','2021-01-08T00:19:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-20',0,'ended-fe3a8320','2021-01-08T00:19:00.000000Z','2021-01-08T00:20:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-20',1,'ended-fe3a8320','2021-01-08T00:19:00.000000Z','2021-01-08T00:20:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-20',2,'ended-fe3a8320','2021-01-08T00:19:00.000000Z','2021-01-08T00:20:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-21',0,'ended-fe3a8320','2021-01-08T00:20:00.000000Z','2021-01-08T00:21:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-21',1,'ended-fe3a8320','2021-01-08T00:20:00.000000Z','2021-01-08T00:21:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-21',2,'ended-fe3a8320','2021-01-08T00:20:00.000000Z','2021-01-08T00:21:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-22',0,'ended-fe3a8320','2021-01-08T00:21:00.000000Z','2021-01-08T00:22:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-22',1,'ended-fe3a8320','2021-01-08T00:21:00.000000Z','2021-01-08T00:22:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-22',2,'ended-fe3a8320','2021-01-08T00:21:00.000000Z','2021-01-08T00:22:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-23',0,'ended-fe3a8320','2021-01-08T00:22:00.000000Z','2021-01-08T00:23:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-23',1,'ended-fe3a8320','2021-01-08T00:22:00.000000Z','2021-01-08T00:23:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-23',2,'ended-fe3a8320','2021-01-08T00:22:00.000000Z','2021-01-08T00:23:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-24',0,'ended-fe3a8320','2021-01-08T00:23:00.000000Z','2021-01-08T00:24:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-24',1,'ended-fe3a8320','2021-01-08T00:23:00.000000Z','2021-01-08T00:24:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-24',2,'ended-fe3a8320','2021-01-08T00:23:00.000000Z','2021-01-08T00:24:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-25',0,'ended-fe3a8320','2021-01-08T00:24:00.000000Z','2021-01-08T00:25:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-25',1,'ended-fe3a8320','2021-01-08T00:24:00.000000Z','2021-01-08T00:25:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-25',2,'ended-fe3a8320','2021-01-08T00:24:00.000000Z','2021-01-08T00:25:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-26',0,'ended-fe3a8320','2021-01-08T00:25:00.000000Z','2021-01-08T00:26:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-26',1,'ended-fe3a8320','2021-01-08T00:25:00.000000Z','2021-01-08T00:26:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-26',2,'ended-fe3a8320','2021-01-08T00:25:00.000000Z','2021-01-08T00:26:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-27',0,'ended-fe3a8320','2021-01-08T00:26:00.000000Z','2021-01-08T00:27:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-27',1,'ended-fe3a8320','2021-01-08T00:26:00.000000Z','2021-01-08T00:27:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-27',2,'ended-fe3a8320','2021-01-08T00:26:00.000000Z','2021-01-08T00:27:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-28',0,'ended-fe3a8320','2021-01-08T00:27:00.000000Z','2021-01-08T00:28:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-28',1,'ended-fe3a8320','2021-01-08T00:27:00.000000Z','2021-01-08T00:28:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-28',2,'ended-fe3a8320','2021-01-08T00:27:00.000000Z','2021-01-08T00:28:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-29',0,'ended-fe3a8320','2021-01-08T00:28:00.000000Z','2021-01-08T00:29:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-29',1,'ended-fe3a8320','2021-01-08T00:28:00.000000Z','2021-01-08T00:29:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-29',2,'ended-fe3a8320','2021-01-08T00:28:00.000000Z','2021-01-08T00:29:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-30',0,'ended-fe3a8320','2021-01-08T00:29:00.000000Z','2021-01-08T00:30:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-30',1,'ended-fe3a8320','2021-01-08T00:29:00.000000Z','2021-01-08T00:30:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-30',2,'ended-fe3a8320','2021-01-08T00:29:00.000000Z','2021-01-08T00:30:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-31',0,'ended-fe3a8320','2021-01-08T00:30:00.000000Z','2021-01-08T00:31:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-31',1,'ended-fe3a8320','2021-01-08T00:30:00.000000Z','2021-01-08T00:31:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-31',2,'ended-fe3a8320','2021-01-08T00:30:00.000000Z','2021-01-08T00:31:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-32',0,'ended-fe3a8320','2021-01-08T00:31:00.000000Z','2021-01-08T00:32:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-32',1,'ended-fe3a8320','2021-01-08T00:31:00.000000Z','2021-01-08T00:32:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-32',2,'ended-fe3a8320','2021-01-08T00:31:00.000000Z','2021-01-08T00:32:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-33',0,'ended-fe3a8320','2021-01-08T00:32:00.000000Z','2021-01-08T00:33:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-33',1,'ended-fe3a8320','2021-01-08T00:32:00.000000Z','2021-01-08T00:33:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-33',2,'ended-fe3a8320','2021-01-08T00:32:00.000000Z','2021-01-08T00:33:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-34',0,'ended-fe3a8320','2021-01-08T00:33:00.000000Z','2021-01-08T00:34:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-34',1,'ended-fe3a8320','2021-01-08T00:33:00.000000Z','2021-01-08T00:34:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-34',2,'ended-fe3a8320','2021-01-08T00:33:00.000000Z','2021-01-08T00:34:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-35',0,'ended-fe3a8320','2021-01-08T00:34:00.000000Z','2021-01-08T00:35:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-35',1,'ended-fe3a8320','2021-01-08T00:34:00.000000Z','2021-01-08T00:35:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-35',2,'ended-fe3a8320','2021-01-08T00:34:00.000000Z','2021-01-08T00:35:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-36',0,'ended-fe3a8320','2021-01-08T00:35:00.000000Z','2021-01-08T00:36:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-36',1,'ended-fe3a8320','2021-01-08T00:35:00.000000Z','2021-01-08T00:36:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-36',2,'ended-fe3a8320','2021-01-08T00:35:00.000000Z','2021-01-08T00:36:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-37',0,'ended-fe3a8320','2021-01-08T00:36:00.000000Z','2021-01-08T00:37:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-37',1,'ended-fe3a8320','2021-01-08T00:36:00.000000Z','2021-01-08T00:37:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-37',2,'ended-fe3a8320','2021-01-08T00:36:00.000000Z','2021-01-08T00:37:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-38',0,'ended-fe3a8320','2021-01-08T00:37:00.000000Z','2021-01-08T00:38:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-38',1,'ended-fe3a8320','2021-01-08T00:37:00.000000Z','2021-01-08T00:38:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-38',2,'ended-fe3a8320','2021-01-08T00:37:00.000000Z','2021-01-08T00:38:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-39',0,'ended-fe3a8320','2021-01-08T00:38:00.000000Z','2021-01-08T00:39:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-39',1,'ended-fe3a8320','2021-01-08T00:38:00.000000Z','2021-01-08T00:39:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-39',2,'ended-fe3a8320','2021-01-08T00:38:00.000000Z','2021-01-08T00:39:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-40',0,'ended-fe3a8320','2021-01-08T00:39:00.000000Z','2021-01-08T00:40:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-40',1,'ended-fe3a8320','2021-01-08T00:39:00.000000Z','2021-01-08T00:40:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('c2635295be37e4a6-40',2,'ended-fe3a8320','2021-01-08T00:39:00.000000Z','2021-01-08T00:40:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-1',0,'running-de252afc','2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z',6000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-1',1,'running-de252afc','2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z',6000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-1',2,'running-de252afc','2021-01-08T00:00:00.000000Z','2021-01-08T00:01:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-2',0,'running-de252afc','2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z',6000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-2',1,'running-de252afc','2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z',6000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-2',2,'running-de252afc','2021-01-08T00:01:00.000000Z','2021-01-08T00:02:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-3',0,'running-de252afc','2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z',6000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-3',1,'running-de252afc','2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z',6000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-3',2,'running-de252afc','2021-01-08T00:02:00.000000Z','2021-01-08T00:03:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-4',0,'running-de252afc','2021-01-08T00:03:00.000000Z','2021-01-08T00:04:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-4',1,'running-de252afc','2021-01-08T00:03:00.000000Z','2021-01-08T00:04:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-4',2,'running-de252afc','2021-01-08T00:03:00.000000Z','2021-01-08T00:04:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-5',0,'running-de252afc','2021-01-08T00:04:00.000000Z','2021-01-08T00:05:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-5',1,'running-de252afc','2021-01-08T00:04:00.000000Z','2021-01-08T00:05:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-5',2,'running-de252afc','2021-01-08T00:04:00.000000Z','2021-01-08T00:05:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-6',0,'running-de252afc','2021-01-08T00:05:00.000000Z','2021-01-08T00:06:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-6',1,'running-de252afc','2021-01-08T00:05:00.000000Z','2021-01-08T00:06:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-6',2,'running-de252afc','2021-01-08T00:05:00.000000Z','2021-01-08T00:06:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-7',0,'running-de252afc','2021-01-08T00:06:00.000000Z','2021-01-08T00:07:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-7',1,'running-de252afc','2021-01-08T00:06:00.000000Z','2021-01-08T00:07:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-7',2,'running-de252afc','2021-01-08T00:06:00.000000Z','2021-01-08T00:07:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-8',0,'running-de252afc','2021-01-08T00:07:00.000000Z','2021-01-08T00:08:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-8',1,'running-de252afc','2021-01-08T00:07:00.000000Z','2021-01-08T00:08:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-8',2,'running-de252afc','2021-01-08T00:07:00.000000Z','2021-01-08T00:08:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-9',0,'running-de252afc','2021-01-08T00:08:00.000000Z','2021-01-08T00:09:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-9',1,'running-de252afc','2021-01-08T00:08:00.000000Z','2021-01-08T00:09:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-9',2,'running-de252afc','2021-01-08T00:08:00.000000Z','2021-01-08T00:09:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-10',0,'running-de252afc','2021-01-08T00:09:00.000000Z','2021-01-08T00:10:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-10',1,'running-de252afc','2021-01-08T00:09:00.000000Z','2021-01-08T00:10:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-10',2,'running-de252afc','2021-01-08T00:09:00.000000Z','2021-01-08T00:10:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-11',0,'running-de252afc','2021-01-08T00:10:00.000000Z','2021-01-08T00:11:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-11',1,'running-de252afc','2021-01-08T00:10:00.000000Z','2021-01-08T00:11:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-11',2,'running-de252afc','2021-01-08T00:10:00.000000Z','2021-01-08T00:11:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-12',0,'running-de252afc','2021-01-08T00:11:00.000000Z','2021-01-08T00:12:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-12',1,'running-de252afc','2021-01-08T00:11:00.000000Z','2021-01-08T00:12:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-12',2,'running-de252afc','2021-01-08T00:11:00.000000Z','2021-01-08T00:12:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-13',0,'running-de252afc','2021-01-08T00:12:00.000000Z','2021-01-08T00:13:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-13',1,'running-de252afc','2021-01-08T00:12:00.000000Z','2021-01-08T00:13:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-13',2,'running-de252afc','2021-01-08T00:12:00.000000Z','2021-01-08T00:13:00.000000Z',3000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-14',0,'running-de252afc','2021-01-08T00:13:00.000000Z','2021-01-08T00:14:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-14',1,'running-de252afc','2021-01-08T00:13:00.000000Z','2021-01-08T00:14:00.000000Z',18000.0,0.0,0.0);
INSERT INTO readings VALUES('005f07bb0b368e9d-14',2,'running-de252afc','2021-01-08T00:13:00.000000Z','2021-01-08T00:14:00.000000Z',3000.0,0.0,0.0);
CREATE TABLE usages (
	search_id VARCHAR NOT NULL, 
	stream VARCHAR NOT NULL, 
	number BIGINT NOT NULL, 
	PRIMARY KEY (search_id, stream), 
	FOREIGN KEY(search_id) REFERENCES searches (id)
);
INSERT INTO usages VALUES('ended-fe3a8320','simulated-0-1',1610064060000000);
INSERT INTO usages VALUES('ended-fe3a8320','simulated-1-1',1610064060000000);
INSERT INTO usages VALUES('ended-fe3a8320','simulated-2-1',1610064120000000);
INSERT INTO usages VALUES('ended-fe3a8320','simulated-3-1',1610064120000000);
INSERT INTO usages VALUES('ended-fe3a8320','simulated-4-1',1610064180000000);
INSERT INTO usages VALUES('ended-fe3a8320','simulated-7-1',1610064180000000);
INSERT INTO usages VALUES('ended-fe3a8320','simulated-5-1',1610066400000000);
INSERT INTO usages VALUES('ended-fe3a8320','simulated-6-1',1610066400000000);
INSERT INTO usages VALUES('running-de252afc','simulated-0-1',1610064060000000);
INSERT INTO usages VALUES('running-de252afc','simulated-1-1',1610064060000000);
INSERT INTO usages VALUES('running-de252afc','simulated-2-1',1610064120000000);
INSERT INTO usages VALUES('running-de252afc','simulated-3-1',1610064120000000);
INSERT INTO usages VALUES('running-de252afc','simulated-4-1',1610064180000000);
INSERT INTO usages VALUES('running-de252afc','simulated-7-1',1610064180000000);
INSERT INTO usages VALUES('running-de252afc','simulated-5-1',1610064840000000);
INSERT INTO usages VALUES('running-de252afc','simulated-6-1',1610064840000000);
CREATE INDEX ix_searches_fingerprint ON searches (fingerprint);
CREATE INDEX ix_decisions_search_id ON decisions (search_id);
CREATE UNIQUE INDEX one_value_once ON intensities (source, zone, kind, basis, start, "end", provenance, g_per_kwh);
CREATE INDEX ix_ledger_supersedes ON ledger (supersedes);
CREATE INDEX ledger_by_time ON ledger (search_id, start);
CREATE INDEX ix_readings_search_id ON readings (search_id);
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'ledger is append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'ledger is append-only'); END;
CREATE TRIGGER readings_no_update BEFORE UPDATE ON readings BEGIN SELECT RAISE(ABORT, 'readings is append-only'); END;
CREATE TRIGGER readings_no_delete BEFORE DELETE ON readings BEGIN SELECT RAISE(ABORT, 'readings is append-only'); END;
COMMIT;
