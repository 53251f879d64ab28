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
	// EventJoined says that Tracks, which are contributed, have joined the epoch; nothing else changes. Their
	// units follow, and the first ones may depend on others that nobody has heard. A track that is known
	// already is no news, unless its configuration has changed, or what else is said of it.
	EventJoined
	// EventLeft says that contributed Tracks have gone. They may come back with the same IDs.
	EventLeft
)

// Event is one entry of a stream's log.
type Event struct {
	Kind EventKind
	Unit media.AccessUnit // EventUnit
	// Tracks are, with EventTracks, all tracks of the epoch, the publisher's before contributed ones; with
	// EventJoined and EventLeft those that it is about. They are shared: read only.
	Tracks []media.Track
	// Epoch is, with EventTracks, the number of the epoch that begins, from 1.
	Epoch int
	// Suspended says, with EventEnded, that it is the server that ends, and not the show: it may go on when the
	// server is back.
	Suspended bool
}

// opens reports whether a reader can begin with an event like this one.
func (ev *Event) opens() bool {
	return ev.Kind == EventTracks || ev.Kind == EventInterrupted || ev.Kind == EventEnded
}
