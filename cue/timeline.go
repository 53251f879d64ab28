package cue

import "context"

// Timeline is the cues of one show's name, whether a show is on or not. Its methods are safe for concurrent
// use; a Timeline is valid as long as its Book.
//
// All writes return when what they have changed is safe on disk, is readable, and has been posted to the
// show if it is near enough. Their errors are *Error, or that of ctx, after which the write may or may not
// have been done: the same write again, with the same key or id, tells. key is the caller's idempotency key
// or empty: a second write of the same key returns what the first has done, for a day.
type Timeline struct{}

// Name is the show's name.
func (t *Timeline) Name() string { panic("soon") }

// Create makes a cue of its JSON. One that has the id of a cue that is there is a repetition if it says the
// same, else a Conflict. A cue for the next keyframe is waited for for some seconds; then the reply says
// that it is still pending.
func (t *Timeline) Create(ctx context.Context, body []byte, key string) (Reply, error) { panic("soon") }

// Revise changes the newest revision of a cue by a JSON merge patch (RFC 7386). products can also be an object
// by product id, which changes the products it names. A cue that is up changes at "at" (now by default); one that is
// pending is replaced; one that is over comes up again if the patch says at when.
func (t *Timeline) Revise(ctx context.Context, id string, patch []byte, key string) (Reply, error) {
	panic("soon")
}

// Undo takes a cue back: one that is pending will not be seen; one that is up ends now, and the one that it
// displaced comes back if it has not ended by itself.
func (t *Timeline) Undo(ctx context.Context, id string, key string) (Reply, error) { panic("soon") }

// List returns the newest revision of all cues of the present show, or the last one, and of those that are kept for
// the next.
func (t *Timeline) List() Listing { panic("soon") }

// Get returns the newest revision of a cue. The error is an *Error.
func (t *Timeline) Get(id string) (Cue, error) { panic("soon") }

// Load takes a run of show, YAML or JSON, in place of the one that is there: items with a time become cues,
// all at once or none; the others wait for Next. Cues of the former run that have not begun are withdrawn.
func (t *Timeline) Load(ctx context.Context, body []byte, key string) (Rundown, error) { panic("soon") }

// Next puts the next item of the run of show up. body is empty, or {"at": ...}.
func (t *Timeline) Next(ctx context.Context, body []byte, key string) (Rundown, error) { panic("soon") }

// Previous puts the item before the present one up again.
func (t *Timeline) Previous(ctx context.Context, body []byte, key string) (Rundown, error) {
	panic("soon")
}

// UndoStep takes the last Next or Previous back.
func (t *Timeline) UndoStep(ctx context.Context, key string) (Rundown, error) { panic("soon") }

// Rundown returns the run of show as it is. It is empty if there is none.
func (t *Timeline) Rundown() Rundown { panic("soon") }

// Unload takes the run of show away. Its cues that have not begun are withdrawn.
func (t *Timeline) Unload(ctx context.Context, key string) (Rundown, error) { panic("soon") }

// SetFact says what is true of a product now: {"stock": 3, "prices": {...}}; null takes back what was said of
// either. Viewers who listen hear of it at once; it is no revision of a cue.
func (t *Timeline) SetFact(ctx context.Context, product string, body []byte, key string) (Fact, error) {
	panic("soon")
}

// Settings returns what is set for the show's name.
func (t *Timeline) Settings() Settings { panic("soon") }

// Set changes the settings: {"delay": "1.5s"}, or null for what the configuration says.
func (t *Timeline) Set(ctx context.Context, body []byte, key string) (Settings, error) { panic("soon") }
