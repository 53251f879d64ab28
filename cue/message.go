package cue

import (
	"encoding/json"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushcart/media"
)

// Messages of hosts' encoders. What an encoder can send differs: OBS scripts and our own tools a JSON object,
// ffmpeg a subtitle's text (onTextData), hardware encoders a cue point with a name and parameters (onCuePoint).
//
//   - A JSON object, as text anywhere in the message or as AMF values, is a cue as the API takes it, at the time of
//     the message; {"op": "next"}, "previous" and "undo" move the run of show, and "undo" with an id takes that
//     cue back.
//   - A text or name that is the id of an item of the run of show puts that item up. A cue point's name can also be
//     next, previous or undo.
//   - Any other text or name is shown as a message for a while.

// hostMessage is a data message on its way.
type hostMessage struct {
	name string
	args []any
	at   time.Duration
}

const (
	// maxMessages bounds the messages of a show that wait to become cues; more are dropped.
	maxWaiting = 256
	// maxArgDepth is how deeply the values of a message may nest.
	maxArgDepth = maxDepth - 2
)

// wish is what a message asks for.
type wish struct {
	op     string // next, previous, undo; "" for a cue
	id     string // of the cue to undo
	item   string // text that may be the id of an item of the run of show
	script script
	only   bool // there is nothing but the item
}

// understand makes a wish of a message. It returns false for one that says nothing to cues; the error is an
// *Error.
func understand(rules []Message, name string, args []any) (w wish, ok bool, err error) {
	i := slices.IndexFunc(rules, func(m Message) bool { return m.Name == name })
	if i < 0 {
		return wish{}, false, nil
	}
	rule := rules[i]
	for _, arg := range args {
		switch arg := arg.(type) {
		case string:
			if o, ok, err := objectIn(arg); ok || err != nil {
				return wishOf(o, "", rule, err)
			}
			if strings.TrimSpace(arg) != "" {
				return textWish(arg, "und", nil, rule)
			}
		case map[string]any:
			if w, ok, err := understandMembers(arg, rule); ok || err != nil {
				return w, ok, err
			}
		}
	}
	return wish{}, false, nil
}

// objectIn reads the JSON object that a text is, if it is meant to be one.
func objectIn(text string) (object, bool, error) {
	text = strings.TrimSpace(strings.Trim(text, "\x00"))
	if !strings.HasPrefix(text, "{") {
		return nil, false, nil
	}
	o, err := readCue([]byte(text))
	return o, err == nil, err
}

// understandMembers makes a wish of an AMF object.
func understandMembers(m map[string]any, rule Message) (wish, bool, error) {
	name, _ := m["name"].(string)
	for _, in := range []map[string]any{m, members(m["parameters"])} {
		for _, field := range []string{"cue", "json", "text", "data", "message"} {
			text, _ := in[field].(string)
			if o, ok, err := objectIn(text); ok || err != nil {
				return wishOf(o, name, rule, err)
			}
			if inner := members(in[field]); looksLikeCue(inner) {
				return wishOf(fromAMF(inner), name, rule, nil)
			}
		}
		if looksLikeCue(in) {
			return wishOf(fromAMF(in).without("type", "time", "name", "parameters"), name, rule, nil)
		}
	}
	language, _ := m["language"].(string)
	if text, _ := m["text"].(string); strings.TrimSpace(text) != "" {
		return textWish(text, language, nil, rule)
	}
	switch name {
	case "":
		return wish{}, false, nil
	case "next", "previous", "undo":
		return wish{op: name}, true, nil
	}
	return textWish(name, language, members(m["parameters"]), rule)
}

func members(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// looksLikeCue reports whether an AMF object is a cue. A text alone is not enough: ffmpeg's has one.
func looksLikeCue(m map[string]any) bool {
	for _, name := range []string{"kind", "products", "until", "op"} {
		if _, ok := m[name]; ok {
			return true
		}
	}
	return false
}

// wishOf makes a wish of a cue or an order; name is what the message calls it.
func wishOf(o object, name string, rule Message, err error) (wish, bool, error) {
	if err != nil {
		return wish{}, true, err
	}
	if op, ok := o.get("op"); ok {
		w := wish{id: o.text("id")}
		if w.op, _ = op.(string); w.op != "next" && w.op != "previous" && w.op != "undo" {
			return wish{}, true, refuse(Invalid, "op is %s: it must be next, previous or undo", describe(op))
		}
		return w, true, nil
	}
	if id := o.text("id"); id != "" && len(o.without("id", "at", "duration", "end", "slot")) == 0 {
		return wish{item: id, only: true}, true, nil
	}
	if _, ok := o.get("id"); !ok && validID(name) {
		o = append(object{{"id", name}}, o...)
	}
	sc, err := checkScript(o)
	return wish{script: sc}, true, err
}

// textWish shows a text as a message, or the item of the run of show that it names.
func textWish(text, locale string, data map[string]any, rule Message) (wish, bool, error) {
	text = strings.ToValidUTF8(strings.TrimSpace(strings.Trim(text, "\x00")), "�")
	if !isLocale(locale) {
		locale = "und"
	}
	o := object{{"kind", rule.Kind}, {"slot", rule.Slot}, {"text", object{{locale, text}}}}
	if len(data) > 0 {
		o = append(o, member{"data", fromAMF(data)})
	}
	sc, err := checkScript(o)
	sc.end = when{byDuration, media.Ticks(rule.Duration, Timescale)}
	return wish{item: text, script: sc}, true, err
}

// fromAMF makes JSON of an AMF object; its members are in order of their names.
func fromAMF(m map[string]any) object {
	v, _ := fromAMFValue(m, 0).(object)
	return v
}

func fromAMFValue(v any, depth int) any {
	if depth > maxArgDepth {
		return nil
	}
	switch v := v.(type) {
	case string:
		return strings.ToValidUTF8(v, "�")
	case bool:
		return v
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		if v == math.Trunc(v) && math.Abs(v) <= maxAmount {
			return json.Number(strconv.FormatInt(int64(v), 10))
		}
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	case []any:
		l := make(list, len(v))
		for i := range v {
			l[i] = fromAMFValue(v[i], depth+1)
		}
		return l
	case map[string]any:
		o := make(object, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			o = o.with(strings.ToValidUTF8(name, "�"), fromAMFValue(v[name], depth+1))
		}
		return o
	}
	return nil
}

// hostMessages makes cues of a message and of those that wait behind it.
func (t *Timeline) hostMessages(first hostMessage, rest <-chan hostMessage) {
	batch := []hostMessage{first}
	for len(rest) > 0 {
		batch = append(batch, <-rest)
	}
	var works []*work
	for _, m := range batch {
		w, ok, err := understand(t.book.cfg.Messages, m.name, m.args)
		switch {
		case err != nil:
			t.refuseMessage(m, err)
		case !ok:
			t.book.counts.ignored.Add(1)
		default:
			works = append(works, &work{do: func(x *tx) error {
				err := x.fulfil(w, media.Ticks(m.at, Timescale))
				if err != nil {
					t.refuseMessage(m, err)
				} else {
					t.book.counts.messages.Add(1)
				}
				return err
			}})
		}
	}
	if len(works) == 0 || t.book.closed.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queueMu.Lock()
	t.queue = append(t.queue, works...)
	t.queueMu.Unlock()
	t.run()
}

// refuseMessage counts a message that is no cue though it should have been one, and says so now and then.
func (t *Timeline) refuseMessage(m hostMessage, err error) {
	t.book.counts.messagesRefused.Add(1)
	if t.complaints.take(time.Now(), 1.0/60, 3) == 0 {
		t.log.Warn("a message of the host's encoder is no cue", slog.String("message", m.name), slog.Any("error", err))
	}
}

// fulfil does what a message at a media time asks for.
func (x *tx) fulfil(w wish, at int64) error {
	if wait := x.t.host.take(x.wall, MaxRate, Burst); wait > 0 {
		return tooMany(wait, "the encoder sends more than %d cues a second", MaxRate)
	}
	x.trusted = true
	var err error
	mediaTime := when{byMedia, at}
	switch {
	case w.op == "next":
		_, err = x.stepTo(x.position()+1, mediaTime)
	case w.op == "previous":
		_, err = x.stepTo(x.position()-1, mediaTime)
	case w.op == "undo" && w.id == "":
		_, _, err = x.unstep()
	case w.op == "undo":
		_, _, _, err = x.undoCue(w.id)
	default:
		return x.show(w, at)
	}
	return err
}

// show puts up what a message names or says.
func (x *tx) show(w wish, at int64) error {
	if run := x.s.run; run != nil && w.item != "" {
		if i := run.find(w.item); i >= 0 {
			_, err := x.stepTo(i+1, when{byMedia, at})
			return err
		}
	}
	if w.only {
		return refuse(NotFound, "the message names %s, which is no item of the run of show", quote(w.item))
	}
	sc := w.script
	switch sc.at.By {
	case byNothing, byNow:
		sc.at = when{byMedia, at}
	case byAfter:
		sc.at = when{byMedia, max(at+sc.at.N, 0)}
	}
	asked := sc.digest()
	if sc.id == "" {
		sc.id = newID()
	} else if c := x.s.cues[sc.id]; c != nil && !x.former(c.latest()) {
		r := c.latest()
		switch x.stateOf(r) {
		case Pending:
			x.emit(&record{Type: recDrop, ID: r.id, Rev: r.rev})
		case Active:
			before, _, err := r.patched(nil, false)
			if err != nil {
				return err
			}
			if hash(before.document(r.id, 0)) == hash(sc.document(r.id, 0)) && sc.end.By == byNothing {
				return nil // it is up
			}
			if sc.at.By == byMedia {
				sc.at.N = max(sc.at.N, r.start)
			}
		}
	}
	_, err := x.put(sc, asked)
	return err
}
