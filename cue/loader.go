package cue

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"pushcart/media"
)

// parseRundown reads a run of show: {"title": ..., "items": [cue, ...]}, or just the list, as JSON or YAML. An
// item without an id gets one. The error is an *Error.
func parseRundown(body []byte) (title string, items []script, err error) {
	v, err := readPlan(body)
	if err != nil {
		return "", nil, err
	}
	if o, ok := v.(object); ok {
		for _, m := range o {
			if m.name != "title" && m.name != "items" {
				return "", nil, refuse(Invalid, "%s is no part of a run of show, which has a title and items", quote(m.name))
			}
		}
		if t, ok := o.get("title"); ok {
			if title, ok = t.(string); !ok || len(title) > maxTextLen {
				return "", nil, refuse(Invalid, "title is %s: it must be text of at most %d bytes", describe(t), maxTextLen)
			}
		}
		v, _ = o.get("items")
	}
	l, ok := v.(list)
	if !ok || len(l) == 0 {
		return "", nil, refuse(Invalid, "items is %s: a run of show is a list of at least one cue, in order", describeEmpty(v))
	}
	if len(l) > MaxCues {
		return "", nil, refuse(TooLarge, "the run of show has %d items: at most %d are possible", len(l), MaxCues)
	}
	items, err = parseItems(l)
	return title, items, err
}

func parseItems(l list) ([]script, error) {
	items := make([]script, len(l))
	taken := make(map[string]int)
	for i, v := range l {
		o, ok := v.(object)
		if !ok {
			return nil, refuse(Invalid, "items[%d] is %s: each item is a cue", i, describe(v))
		}
		sc, err := checkScript(o)
		if err == nil && len(appendJSON(nil, o)) > MaxBytes {
			err = refuse(TooLarge, "it has more than %d bytes: put large things behind a URL", MaxBytes)
		}
		if err == nil && sc.at.By == byKeyframe {
			err = refuse(Invalid, `at is "keyframe", which can't be planned: leave it out, and step to the item`)
		}
		if err != nil {
			return nil, refuse(err.(*Error).Code, "items[%d]: %v", i, err)
		}
		if sc.id == "" {
			sc.id = "item-" + strconv.Itoa(i+1)
		}
		if first, ok := taken[sc.id]; ok {
			return nil, refuse(Invalid, "items[%d].id is %s, and so is that of items[%d]: each needs one of its own", i, sc.id, first)
		}
		taken[sc.id] = i
		items[i] = sc
	}
	return items, nil
}

// readPlan reads JSON, if it begins like that, or YAML.
func readPlan(body []byte) (any, error) {
	text := bytes.TrimLeft(body, " \t\r\n\ufeff")
	looksLikeJSON := len(text) > 0 && (text[0] == '{' || text[0] == '[')
	switch {
	case looksLikeJSON && len(body) > MaxLoadBytes:
		return nil, refuse(TooLarge, "a run of show of %d bytes: at most %d MiB are possible", len(body), MaxLoadBytes>>20)
	case looksLikeJSON:
		v, err := readJSON(text)
		if err == nil || json.Valid(text) {
			return v, err
		}
		if y, yamlErr := readYAML(body); yamlErr == nil { // {a: b} is YAML
			return y, nil
		}
		return nil, err
	}
	return readYAML(body)
}

// parseStep reads what a step may say: when.
func parseStep(body []byte) (when, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return when{}, nil
	}
	o, err := readCue(body)
	if err != nil {
		return when{}, err
	}
	at, ok := o.get("at")
	if len(o) == 0 {
		return when{}, nil
	}
	if !ok || len(o) != 1 {
		return when{}, refuse(Invalid, `a step can say when, and nothing else: {"at": "+3s"}`)
	}
	return parseWhen("at", at)
}

// title is what a producer knows the cue by.
func (s script) title() string {
	if products, ok := s.body.get("products"); ok {
		if l, _ := products.(list); len(l) > 0 {
			p, _ := l[0].(object)
			if t, ok := p.get("title"); ok {
				text, _ := pick(t, "en").(string)
				return text
			}
			return p.text("id")
		}
	}
	t, _ := s.body.get("text")
	text, _ := pick(t, "en").(string)
	return text
}

// String returns w as it could have been written; empty if it is no time.
func (w when) String() string {
	switch w.By {
	case byNothing:
		return ""
	case byAfter:
		d := media.Duration(w.N, Timescale).String()
		if !strings.HasPrefix(d, "-") {
			d = "+" + d
		}
		return d
	case byDate:
		return time.Unix(0, w.N).UTC().Format(time.RFC3339Nano)
	case byMedia:
		return `{"media": ` + strconv.FormatFloat(media.Duration(w.N, Timescale).Seconds(), 'f', -1, 64) + `}`
	}
	return string(w.By)
}
