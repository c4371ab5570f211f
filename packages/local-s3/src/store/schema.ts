/**
 * The tables. `content` names a body: the upload id of a multipart object, or the one id of a single Put.
 * A finished object keeps its parts under that id, so Complete moves no byte and a repeated Complete finds the object by its upload id.
 */
export const SCHEMA_VERSION = 1;

export const SCHEMA = `
CREATE TABLE IF NOT EXISTS bucket (
  name TEXT PRIMARY KEY,
  created_ms INTEGER NOT NULL,
  lifecycle TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS object (
  bucket TEXT NOT NULL REFERENCES bucket (name),
  key BLOB NOT NULL,
  content TEXT NOT NULL,
  etag TEXT NOT NULL,
  size INTEGER NOT NULL,
  modified_ms INTEGER NOT NULL,
  attributes TEXT NOT NULL,
  checksums TEXT NOT NULL,
  checksum_type TEXT,
  PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upload (
  bucket TEXT NOT NULL REFERENCES bucket (name),
  key BLOB NOT NULL,
  id TEXT NOT NULL,
  initiated_ms INTEGER NOT NULL,
  attributes TEXT NOT NULL,
  algorithm TEXT,
  checksum_type TEXT,
  PRIMARY KEY (bucket, key, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS part (
  content TEXT NOT NULL,
  number INTEGER NOT NULL,
  etag TEXT NOT NULL,
  size INTEGER NOT NULL,
  modified_ms INTEGER NOT NULL,
  checksums TEXT NOT NULL,
  file TEXT,
  data BLOB,
  PRIMARY KEY (content, number)
) STRICT;
`;
