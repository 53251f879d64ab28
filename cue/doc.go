// Package cue is what happens at a moment of a show: products, countdowns and messages that come up on a
// frame and go with another.
//
// A Book has the cues of all shows, by the show's name; a Timeline those of one name. Whoever schedules
// (the API, the host's encoder, a run of show) writes to a Timeline, which answers when the cue is safe on
// disk. It posts a Mark into the show's stream some seconds ahead of each cue's start; the packager carries
// it from there. Viewers' pages read what a cue says from the Timeline's documents, by id and revision.
//
// The files: cue.go parses what a cue says, document.go makes of it what viewers read, when.go reads
// times; state.go is what a Timeline knows, as a function of the records in its journal (journal.go);
// write.go, revise.go and rundown.go are the ways to change it; drive.go posts marks; book.go keeps the
// Timelines; message.go turns the encoder's own messages into cues.
package cue
