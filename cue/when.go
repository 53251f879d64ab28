package cue

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"pushcart/media"
)

// by is what a time counts from.
type by string

// What times count from. The names are those of the journal.
const (
	byNow      by = "now"      // N is nothing
	byAfter    by = "after"    // N is ticks from now
	byDate     by = "date"     // N is nanoseconds since 1970
	byMedia    by = "media"    // N is ticks of media time
	byKeyframe by = "keyframe" // N is nothing
	byShow     by = "show"     // N is nothing: with the show's first frame
	byDuration by = "duration" // N is ticks from the cue's own start; ends only
	byNothing  by = ""         // no time; an end that is open
)

// when is a time as somebody has put it.
type when struct {
	By by    `json:"by,omitempty"`
	N  int64 `json:"n,omitempty"`
}

const (
	// maxAhead is how far ahead of its time a cue can be scheduled: so long its id is remembered, too.
	maxAhead = memory - 24*time.Hour
	// maxMedia bounds media times.
	maxMedia = 1000 * time.Hour
)

const timeForms = `"now", "+3s", a date like "2026-11-21T20:15:00Z", {"media": 12.345} in seconds, or "keyframe"`

// parseWhen reads the member called field. The error is an *Error.
func parseWhen(field string, v any) (when, error) {
	switch v := v.(type) {
	case string:
		return parseWhenText(field, v)
	case object:
		n, ok := v.get("media")
		if num, isNumber := n.(json.Number); ok && len(v) == 1 && isNumber {
			seconds, err := num.Float64()
			if err != nil || seconds < 0 || seconds > maxMedia.Seconds() {
				return when{}, refuse(Invalid, "%s.media is %v: it must be seconds of media time, from 0 to %.0f", field, num, maxMedia.Seconds())
			}
			return when{byMedia, int64(math.Round(seconds * Timescale))}, nil
		}
	}
	return when{}, refuse(Invalid, "%s is %s: it must be %s", field, describe(v), timeForms)
}

func parseWhenText(field, s string) (when, error) {
	switch {
	case s == "now":
		return when{By: byNow}, nil
	case s == "keyframe":
		return when{By: byKeyframe}, nil
	case strings.HasPrefix(s, "+"), strings.HasPrefix(s, "-"):
		d, err := time.ParseDuration(s)
		if err != nil {
			return when{}, refuse(Invalid, `%s is %s: a time from now is a sign, a number and a unit, such as "+3s", "+1m30s" or "-500ms"`, field, quote(s))
		}
		if d.Abs() > maxAhead {
			return when{}, refuse(Invalid, "%s is %s: at most %v ahead are possible", field, quote(s), maxAhead)
		}
		return when{byAfter, media.Ticks(d, Timescale)}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 2000 || t.Year() >= 2200 {
		return when{}, refuse(Invalid, "%s is %s: it must be %s", field, quote(s), timeForms)
	}
	return when{byDate, t.UnixNano()}, nil
}

// parseDuration reads the member "duration". The error is an *Error.
func parseDuration(v any) (when, error) {
	s, ok := v.(string)
	d, err := time.ParseDuration(s)
	d = d.Round(time.Millisecond) // as playlists have it: after a restart, nothing has changed by one
	if !ok || err != nil || d <= 0 || d > maxAhead {
		return when{}, refuse(Invalid, `duration is %s: it must be a number with its unit, such as "20s" or "1m30s"`, describe(v))
	}
	return when{byDuration, media.Ticks(d, Timescale)}, nil
}

// parseUntil checks the member "until" of a countdown: a date, or a time from the cue's start.
func parseUntil(v any) error {
	if s, ok := v.(string); ok {
		w, err := parseWhenText("until", s)
		if err == nil && (w.By == byDate || w.By == byAfter && w.N > 0) {
			return nil
		}
	}
	return refuse(Invalid, `until is %s: it must be a date like "2026-11-21T20:15:00Z", or "+10m" from the cue's start`, describe(v))
}

// show is a show as its cues see it: where its media time is on the wall clock.
type show struct {
	epoch string
	start time.Time // of media time zero
}

// date is the program date-time of a media time.
func (s show) date(ticks int64) time.Time { return s.start.Add(media.Duration(ticks, Timescale)) }

// ticks is the first tick that is not before a date: rounded down to milliseconds, as playlists have it, it
// gives a date in milliseconds again.
func (s show) ticks(date time.Time) int64 {
	d := date.Sub(s.start)
	t := media.Ticks(d, Timescale)
	for media.Duration(t, Timescale) < d {
		t++
	}
	return t
}
