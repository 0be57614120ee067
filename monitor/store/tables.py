"""The statements of the migrations in ``schema``; once released, none is edited.

Times are integer microseconds since 1970 UTC.
"""

from __future__ import annotations

TABLES_1 = """
CREATE TABLE feeds (
  id TEXT PRIMARY KEY,
  url TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  tags TEXT NOT NULL,                      -- JSON list
  partition INTEGER NOT NULL,
  claim INTEGER NOT NULL,                  -- fencing token
  added_at INTEGER NOT NULL,
  next_poll_at INTEGER NOT NULL,
  polled_at INTEGER,
  succeeded_at INTEGER,
  baseline_at INTEGER,
  etag TEXT,
  last_modified TEXT,
  validators_at INTEGER,
  body_hash TEXT,
  identity TEXT NOT NULL,
  failures INTEGER NOT NULL,
  failing_since INTEGER,
  failure TEXT,
  failure_detail TEXT NOT NULL,
  reported INTEGER NOT NULL,
  moved_to TEXT,
  moved_count INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  leased_from INTEGER                      -- while claimed: when it was due
) STRICT;
CREATE INDEX feeds_due ON feeds (partition, paused, next_poll_at);

CREATE TABLE entries (
  id TEXT PRIMARY KEY,
  feed_id TEXT NOT NULL REFERENCES feeds (id),
  keys TEXT NOT NULL,                      -- JSON list, the deciding one first
  url TEXT NOT NULL,
  title TEXT NOT NULL,
  summary TEXT NOT NULL,
  content TEXT NOT NULL,
  author TEXT NOT NULL,
  categories TEXT NOT NULL,                -- JSON list
  language TEXT NOT NULL,
  published_at INTEGER,
  first_seen_at INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  story_id TEXT NOT NULL
) STRICT;
CREATE INDEX entries_seen ON entries (first_seen_at);
CREATE INDEX entries_feed ON entries (feed_id, first_seen_at);
CREATE INDEX entries_story ON entries (story_id);
CREATE INDEX entries_url ON entries (url);

CREATE TABLE entry_keys (
  feed_id TEXT NOT NULL,
  key TEXT NOT NULL,
  entry_id TEXT NOT NULL REFERENCES entries (id),
  PRIMARY KEY (feed_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE revisions (                   -- what an entry said before it was changed
  entry_id TEXT NOT NULL REFERENCES entries (id),
  changed_at INTEGER NOT NULL,
  title TEXT NOT NULL,
  summary TEXT NOT NULL,
  content TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  PRIMARY KEY (entry_id, changed_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE stories (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  last_entry_at INTEGER NOT NULL,
  language TEXT NOT NULL
) STRICT;
CREATE INDEX stories_last ON stories (last_entry_at);

CREATE TABLE matches (
  entry_id TEXT NOT NULL REFERENCES entries (id),
  rule TEXT NOT NULL,
  hits TEXT NOT NULL,                      -- JSON list of [field, start, end, term]
  PRIMARY KEY (entry_id, rule)
) STRICT, WITHOUT ROWID;
CREATE INDEX matches_rule ON matches (rule);

CREATE TABLE alerts (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL UNIQUE,
  severity INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  story_id TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  rule_name TEXT NOT NULL,
  told TEXT NOT NULL                       -- JSON: what the message is made of
) STRICT;
CREATE INDEX alerts_created ON alerts (created_at);
CREATE INDEX alerts_story ON alerts (story_id, rule_name);

CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  channel TEXT NOT NULL,
  target TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  frozen TEXT NOT NULL                     -- JSON: sent unchanged at every try
) STRICT;

CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  alert_id TEXT NOT NULL REFERENCES alerts (id),
  channel TEXT NOT NULL,
  target TEXT NOT NULL,
  kind TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  state TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  ambiguous INTEGER NOT NULL,
  message_id TEXT REFERENCES messages (id),
  claim INTEGER NOT NULL,
  last_error TEXT NOT NULL,
  UNIQUE (alert_id, target, kind, sequence)
) STRICT;
CREATE INDEX deliveries_due ON deliveries (channel, due_at) WHERE state = 'queued';
CREATE INDEX deliveries_state ON deliveries (state, created_at);
CREATE INDEX deliveries_message ON deliveries (message_id) WHERE message_id IS NOT NULL;

CREATE TABLE channel_states (
  channel TEXT NOT NULL,
  target TEXT NOT NULL,
  accepted_at INTEGER,
  failures INTEGER NOT NULL,
  failing_since INTEGER,
  last_error TEXT NOT NULL,
  stopped INTEGER NOT NULL,
  not_before INTEGER,
  PRIMARY KEY (channel, target)
) STRICT, WITHOUT ROWID;

CREATE TABLE rule_sets (
  version TEXT PRIMARY KEY,
  files TEXT NOT NULL,                     -- JSON: name -> text
  loaded_at INTEGER NOT NULL
) STRICT;

CREATE TABLE word_counts (                 -- folded word -> stored entries with it
  word TEXT PRIMARY KEY,
  entries INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE notes (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""


TABLES_2 = """
ALTER TABLE stories ADD COLUMN entries INTEGER NOT NULL DEFAULT 1;
ALTER TABLE stories ADD COLUMN outlets TEXT NOT NULL DEFAULT '[]' /* JSON list of hosts */;
ALTER TABLE stories ADD COLUMN merged_into TEXT /* its new id, after a person's correction */;
DROP INDEX entries_story;
CREATE INDEX entries_story ON entries (story_id, first_seen_at);

CREATE TABLE joins (                       -- why an entry is in a story that it did not found
  entry_id TEXT PRIMARY KEY REFERENCES entries (id),
  because TEXT NOT NULL,                   -- JSON list
  gap INTEGER NOT NULL,                    -- microseconds since the story had last been told
  copy_of TEXT NOT NULL,                   -- entry id, or ''
  containment REAL NOT NULL,
  by_hand INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE traces (                      -- the last days' entries as new ones are compared
  number INTEGER PRIMARY KEY,              -- in the order in which they were decided
  entry_id TEXT NOT NULL UNIQUE,
  story_id TEXT NOT NULL,
  feed_id TEXT NOT NULL,
  outlet TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  copy_of TEXT NOT NULL,
  features BLOB NOT NULL,
  sketch BLOB NOT NULL,                    -- 32-bit hashes
  labels BLOB NOT NULL                     -- series and page: two 32-bit hashes each, 0 for none
) STRICT;
CREATE INDEX traces_seen ON traces (seen_at);

CREATE TABLE story_words (                 -- stemmed word -> entries of a language with it
  language TEXT NOT NULL,
  word TEXT NOT NULL,                      -- '' counts the entries themselves
  entries INTEGER NOT NULL,
  PRIMARY KEY (language, word)
) STRICT, WITHOUT ROWID;

CREATE TABLE entry_references (            -- "transmittal 25-07" -> entries of that notice
  reference TEXT NOT NULL,
  entry_id TEXT NOT NULL REFERENCES entries (id),
  PRIMARY KEY (reference, entry_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE updates (                     -- what joining entries added to alerted stories
  number INTEGER PRIMARY KEY,              -- derived; deliveries of it have it as their sequence
  story_id TEXT NOT NULL,
  entry_id TEXT NOT NULL REFERENCES entries (id),
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  told TEXT NOT NULL                       -- JSON: what the message is made of
) STRICT;
CREATE INDEX updates_story ON updates (story_id);
CREATE INDEX updates_entry ON updates (entry_id);

CREATE TABLE corrections (                 -- stories split and joined by people
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  what TEXT NOT NULL,
  moved TEXT NOT NULL                      -- JSON list of [entry id, story id]
) STRICT
"""


TABLES_3 = """
ALTER TABLE deliveries ADD COLUMN silence_id TEXT;
ALTER TABLE deliveries ADD COLUMN settled_at INTEGER /* when it was sent, given up, muted … */;
ALTER TABLE deliveries ADD COLUMN instead_of TEXT NOT NULL DEFAULT '' /* a channel */;
CREATE INDEX deliveries_silence ON deliveries (silence_id) WHERE silence_id IS NOT NULL;
ALTER TABLE channel_states ADD COLUMN outage_from INTEGER /* the last outage, once it was over */;
ALTER TABLE channel_states ADD COLUMN outage_until INTEGER;

CREATE TABLE silences (                    -- alerts people do not want for a while
  id TEXT PRIMARY KEY,
  fits TEXT NOT NULL,                      -- JSON: rules, stories, feeds, severities, texts
  created_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  owner TEXT NOT NULL,
  ended_at INTEGER                         -- it is over, and its owner was told
) STRICT;
CREATE INDEX silences_open ON silences (ends_at) WHERE ended_at IS NULL;

CREATE TABLE threads (                     -- what later messages of a story are answers to
  channel TEXT NOT NULL,
  target TEXT NOT NULL,
  story_id TEXT NOT NULL,
  thread TEXT NOT NULL,
  PRIMARY KEY (channel, target, story_id)
) STRICT, WITHOUT ROWID
"""


TABLES_4 = """
ALTER TABLE feeds ADD COLUMN rhythm TEXT NOT NULL DEFAULT '' /* JSON: when it publishes, learnt */;
ALTER TABLE feeds ADD COLUMN quiet_since INTEGER /* unusually silent, and people were told */;
ALTER TABLE feeds ADD COLUMN gap_from INTEGER /* entries may have rolled over, from … */;
ALTER TABLE feeds ADD COLUMN gap_until INTEGER /* … until */;
ALTER TABLE feeds ADD COLUMN gap_told INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feeds ADD COLUMN suspicion TEXT NOT NULL DEFAULT '' /* what looks wrong */;
ALTER TABLE feeds ADD COLUMN suspected_since INTEGER;
ALTER TABLE feeds ADD COLUMN held INTEGER NOT NULL DEFAULT 0 /* paused by a person */;

CREATE TABLE articles (                    -- linked pages to fetch, and what became of it
  entry_id TEXT PRIMARY KEY REFERENCES entries (id),
  host TEXT NOT NULL,
  state TEXT NOT NULL,                     -- queued, done, failed
  due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  detail TEXT NOT NULL                     -- why it failed
) STRICT, WITHOUT ROWID;
CREATE INDEX articles_due ON articles (due_at) WHERE state = 'queued'
"""


TABLES_5 = """
CREATE TABLE subscriptions (               -- feeds whose document names a WebSub hub
  feed_id TEXT PRIMARY KEY REFERENCES feeds (id),
  hub TEXT NOT NULL,
  topic TEXT NOT NULL,                     -- what the hub calls the feed
  callback TEXT NOT NULL,                  -- '' until the hub was asked
  secret TEXT NOT NULL,                    -- ours: worth no more than a poll a little earlier
  state TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  until INTEGER,                           -- end of the lease
  failures INTEGER NOT NULL,
  detail TEXT NOT NULL,
  pushed_at INTEGER,
  ignored INTEGER NOT NULL                 -- pushes without a good signature
) STRICT, WITHOUT ROWID
"""


# The words of headlines and texts.  ``search.catch_up`` adds entries, the trigger follows edits and
# retention; an entry that is not in the index yet must not be taken out of it.
WORDS = """
CREATE VIRTUAL TABLE entry_words USING fts5 (
  title, summary, content, content = 'entries', tokenize = 'unicode61 remove_diacritics 2'
)
"""
WORDS_FOLLOW = """
CREATE TRIGGER entry_words_follow AFTER UPDATE OF title, summary, content ON entries
WHEN EXISTS (SELECT 1 FROM entry_words_docsize WHERE id = old.rowid)
BEGIN
  INSERT INTO entry_words (entry_words, rowid, title, summary, content)
    VALUES ('delete', old.rowid, old.title, old.summary, old.content);
  INSERT INTO entry_words (rowid, title, summary, content)
    VALUES (new.rowid, new.title, new.summary, new.content);
END
"""


TABLES_7 = """
CREATE TABLE listings (                    -- a feed's last document, to compare the next with it
  feed_id TEXT PRIMARY KEY REFERENCES feeds (id),
  context BLOB NOT NULL,                   -- hash of all that the meaning of an entry depends on
  head BLOB NOT NULL,                      -- hash of what the feed says of itself
  told TEXT NOT NULL,                      -- JSON: what that is
  entries BLOB NOT NULL                    -- hash and hash of the key of each entry, in order
) STRICT;
DROP TABLE word_counts
"""


TABLES_8 = """
ALTER TABLE feeds ADD COLUMN packed_hash TEXT /* of the document of body_hash, as it was sent */
"""


TABLES_9 = """
CREATE INDEX feeds_leased ON feeds (next_poll_at) WHERE leased_from IS NOT NULL
"""
