// The shapes of docs/http.md. More fields may be there at any time; nothing here is invented by the page.

export type Speed = 'gentle' | 'normal' | 'full';
export type LogLevel = 'info' | 'warning' | 'error';
export type JobPhase = 'prepare' | 'scan' | 'learn' | 'index' | 'ready';
export type ScreenState = 'FAST_UI' | 'LOADING' | 'ADVANCED' | 'ERROR';

export interface Root {
  path: string;
  photos: number;
  offline: boolean;
}

export interface LibraryFacts {
  dir: string;
  files: number;
  learned: number;
  errors: number;
  offline: number;
  roots: Root[];
}

/** Where a model is: on disk only, on its way, in memory, put away after it was, or refused. */
export type Residence = 'cold' | 'loading' | 'ready' | 'idle' | 'failed';

export interface ModelFacts {
  name: string;
  state: Residence | 'missing';
  ms: number | null;
  fraction?: number | null; // of a loading
  next?: string | null; // key of the one that answers once the library is learned with it
}

/** A model that was needed since the start. */
export interface Resident {
  key: string;
  kind: ModelKind;
  state: Residence;
  fraction: number | null;
  memory_bytes: number;
  error: string | null;
}

export type ModelKind = 'search' | 'captions';
export type PullPhase = 'list' | 'small' | 'vision' | 'rest' | 'check' | 'ready';

/** The one download of the program, running or ended. */
export interface Pull {
  key: string;
  repository: string;
  phase: PullPhase;
  running: boolean;
  done_bytes: number;
  total_bytes: number | null;
  vision_bytes: number | null; // when so much is here, learning can begin; null: not known, or not before all is here
  rate: number | null; // bytes a second
  eta_s: number | null;
  vision_ready: boolean;
  outcome: string | null;
  message: string | null;
}

/** The background queue that writes tags and captions. */
export interface Annotation {
  running: boolean;
  paused: boolean;
  waiting?: boolean; // for a job of learning, which goes first
  phase: 'tags' | 'captions';
  todo: number; // of this phase
  done: number;
  tagged: number;
  captioned: number;
  doubtful: number;
  failed: number;
  rate: number | null; // photos a second
  eta_s: number | null;
  outcome: string | null;
  message: string | null;
}

/** One of the catalogue, or of those installed beside it. */
export interface ModelEntry {
  key: string;
  name: string;
  repository: string | null;
  revision: string | null;
  kind: ModelKind;
  built_in: boolean;
  complete: boolean; // all of it is here
  chosen: boolean;
  answering: boolean;
  licence: string | null;
  languages: string | null;
  text: string | null;
  picture_ms: number | null; // of one core, about
  dial: number | null; // 1..5: finds, or writes, that well; 0: not measured
  download_bytes: number | null;
  disk_bytes: number | null;
  memory_bytes: number | null;
  state: Residence | 'absent' | 'partial';
  fraction: number | null;
  idle_s: number | null;
  load_ms: number | null;
  error: string | null;
  learned: number | null; // photos of this library that it knows
}

/** Who is asked for models that are not here. */
export interface Hub {
  name: string; // 'huggingface.co', or where a mirror lies
  offline: boolean; // nobody is: so the program was started
}

export interface Catalogue {
  models: ModelEntry[];
  hub: Hub;
  memory_bytes: number | null; // the program's, now
  resting_bytes: number | null; // after the idle time last; null: not yet
}

/** What would go with a model. */
export interface Removal {
  files_bytes: number;
  prepared_bytes: number;
  photos: number; // that it knows
  embeddings_bytes: number;
}

export interface Settings {
  idle_s: number; // negative: never put away
  captions: boolean;
  threads: number;
  threads_max: number;
}

export interface Preparation {
  name: string; // 'catalogue', 'model'
  state: 'waiting' | 'working' | 'ready' | 'failed';
  ms: number | null;
  message: string | null;
}

export interface NewestPhoto {
  id: number;
  width: number;
  height: number;
}

export interface FileFault {
  path: string;
  reason: string;
  status?: string;
}

export interface Job {
  number: number;
  roots: string[];
  speed: Speed;
  retry_waits: boolean;
  seq: number;
  phase: JobPhase;
  running: boolean;
  paused: boolean;
  cancelling: boolean;
  found: number;
  todo: number;
  done: number;
  learned: number;
  unchanged: number;
  moved: number;
  removed: number;
  skipped: number;
  failed: number;
  rate: number | null; // pictures a second
  eta_s: number | null; // null: estimating
  fraction: number; // 0..1, never goes back within one job
  elapsed_s: number;
  outcome: string | null; // null while it runs, then 'ok', 'partial', 'cancelled', or what ended it
  message: string | null;
  newest: NewestPhoto[]; // newest first
  errors: FileFault[]; // newest last
}

export interface LogLine {
  n: number;
  time: string;
  level: LogLevel;
  text: string;
}

export interface ErrorFacts {
  status: string;
  message: string;
  kept: string;
  advice: string;
  details: string;
}

export interface Snapshot {
  seq: number;
  state: ScreenState;
  version: string;
  started: string;
  library: LibraryFacts | null; // null: not opened yet
  model: ModelFacts;
  models?: Resident[];
  pull?: Pull | null;
  annotation?: Annotation | null;
  captions?: boolean; // written in the background
  preparation: Preparation[];
  job: Job | null;
  log: LogLine[];
  error: ErrorFacts | null;
}

export type Sort = 'score' | 'date' | '-date' | 'name' | '-name' | 'size' | '-size';

export interface Hit {
  id: number;
  path: string;
  score: number | null;
  match: number | null; // 0..100; null until calibration exists
  taken: string | null;
  width: number;
  height: number;
  rating?: number;
  favorite?: boolean;
  caption?: string | null; // that counts
  caption_by?: SaidBy | null;
  caption_doubtful?: boolean; // a machine's
}

export interface Hits {
  query: string;
  model: string | null;
  took_ms: number;
  total: number;
  strong: number | null; // the first so many are above the line; null: there is no line
  offset: number;
  result?: number | null; // its number, for further windows; null, 0: not kept
  sort?: Sort; // the order it is in
  parts?: Part[];
  message?: string | null;
  hits: Hit[];
}

/** One part of a query, as it was read. Offsets are those of JavaScript's strings. */
export interface Part {
  kind: 'meaning' | 'like' | 'exact' | 'filter' | 'sort';
  field: string | null;
  negated: boolean;
  weight: number;
  text: string; // in words: "looks like: sunset"
  note: string | null;
  begin: number;
  end: number;
  without: string; // the query without it
}

export interface Offer {
  insert: string;
  label: string;
  count: number | null;
}

export interface Reading {
  parts: Part[];
  print: string;
  typing?: { begin: number; end: number; items: Offer[] } | null;
}

export interface FieldValue {
  value: string;
  count: number;
  add: string; // the query with this filter added
  only: string; // the filter alone
}

export interface FieldValues {
  field: string;
  chosen: string[];
  values: FieldValue[];
}

export interface Album {
  id: number;
  name: string;
  photos: number;
  cover: number | null;
}

export interface Saved {
  name: string;
  query: string;
  at: string;
}

export interface Past {
  query: string;
  at: string;
}

export type SaidBy = 'user' | 'file' | 'machine';

export interface Tag {
  name: string;
  by: SaidBy;
  score?: number | null; // a machine's, 0..1
  doubtful?: boolean;
}

/** What user, file and machines say about a photo. */
export interface Work {
  rating: number | null;
  rating_by: SaidBy | null;
  favorite: boolean;
  caption: string | null;
  caption_by: SaidBy | null; // 'user' without a caption: the user took it away
  caption_doubtful?: boolean; // a machine's
  caption_score?: number | null; // a machine's, 0..1
  caption_machine?: string | null; // what the machine wrote, whatever counts
  tags: Tag[];
  albums: string[];
}

export interface Photo {
  id: number;
  path: string;
  name: string;
  root: string;
  offline: boolean;
  bytes: number;
  type: string;
  width: number;
  height: number;
  orientation: number;
  taken: string | null;
  taken_source: 'exif' | 'xmp' | 'file' | null;
  make: string | null;
  model: string | null;
  lens: string | null;
  iso: number | null;
  exposure_s: number | null;
  fnumber: number | null;
  focal_mm: number | null;
  gps: { lat: number; lon: number; alt: number | null } | null;
  title?: string | null;
  description?: string | null;
  keywords: string[];
  persons?: string[];
  colours?: { rgb: string; share: number }[]; // share in percent, the largest first
  rating: number | null; // that the file says; -1: rejected
  caption: string | null;
  tags: { name: string; score: number }[];
  work?: Work;
  sha256: string;
  phash: string | null;
  learned: { model: string; at: string } | null;
  error: string | null;
}

export interface FaultPage {
  total: number;
  offset: number;
  errors: FileFault[];
}

export interface Folder {
  name: string;
  path: string;
  readable: boolean;
}

export interface Place {
  kind: 'home' | 'pictures' | 'downloads' | 'drive' | 'recent';
  name: string;
  path: string;
  bytes: number | null;
}

export interface FolderPage {
  path: string;
  parent: string | null;
  folders: Folder[];
  truncated: boolean;
  places: Place[];
}

export interface Look {
  path: string;
  kind: 'folder' | 'file' | 'missing' | 'unreadable' | 'outside';
  message: string | null;
  suggestion: string | null;
  completion: string | null;
}

export interface FolderCount {
  pictures: number;
  folders: number;
  files: number;
  complete: boolean;
}
