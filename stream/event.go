package stream

import "pushcart/media"

// EventKind says what an Event is.
type EventKind uint8

// The kinds of event in a stream's log.
const (
	// EventUnit carries one access unit.
	EventUnit EventKind = iota
	// EventTracks begins an epoch: a host has come (back), or its track set or a codec configuration
	// has changed. The units that follow belong to Tracks, decode without anything that came before,
	// and the first video unit of each video track is a random access point. Times go on upwards on
	// the show's one timeline, usually with a gap.
	EventTracks
	// EventInterrupted says that the host has gone; it may come back.
	EventInterrupted
	// EventEnded is the last event of a show.
	EventEnded
)

// Event is one entry of a stream's log.
type Event struct {
	Kind   EventKind
	Unit   media.AccessUnit // EventUnit
	Tracks []media.Track    // EventTracks: all tracks of the epoch, shared, read only
}
