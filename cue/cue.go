package cue

import (
	_ "embed"
	"regexp"
)

// Schema is the JSON Schema (2020-12) of what makes a cue, for tools. It says what the parser says, as far as a
// schema can.
//
//go:embed schema/cue.v1.schema.json
var Schema []byte

// Limits. What passes one of them is refused with a sentence.
const (
	// MaxBytes bounds a cue as JSON, as it is sent and as it is kept.
	MaxBytes = 64 << 10
	// MaxCues bounds the revisions of all cues of a show; those that wait for the next count too.
	MaxCues = 10_000
	// MaxShowBytes bounds what these say, in all.
	MaxShowBytes = 64 << 20
	// MaxRate is how many writes a second a show takes, and Burst how many at once. A run of show is one.
	MaxRate, Burst = 20, 60
	// MaxSlots bounds the slots in use at a time, and with them the cues that are up.
	MaxSlots = 512
	// MaxProducts bounds the products of a cue, and MaxLocales those of a text.
	MaxProducts, MaxLocales = 100, 100
	// MaxLoadBytes bounds a run of show; MaxYAMLBytes one that is YAML.
	MaxLoadBytes, MaxYAMLBytes = 16 << 20, 2 << 20
	// MaxFacts bounds the products that facts are kept of, MaxFactBytes what is said of one.
	MaxFacts, MaxFactBytes = 10_000, 16 << 10
)

// The kinds of cue that the house knows; callers may have their own.
const (
	kindProduct   = "product"
	kindHide      = "hide"
	kindCountdown = "countdown"
	kindMessage   = "message"

	mainSlot    = "main"
	messageSlot = "message"
)

var (
	idForm    = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`).MatchString
	validWord = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`).MatchString
)

// validID reports whether s can be a cue's id. It is a step of a path, of which "." and ".." would not be left.
func validID(s string) bool { return idForm(s) && s != "." && s != ".." }
