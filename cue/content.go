package cue

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// script is what a caller says of a cue, checked: what it shows, where and when. It is a function of the JSON
// alone.
type script struct {
	id   string // empty if it was left out
	kind string
	slot string
	at   when // nothing if it was left out
	end  when // nothing if it is open
	body object
}

var (
	validLocale = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`).MatchString
	validPrice  = regexp.MustCompile(`^([A-Za-z0-9]{1,16}-)?[A-Z]{3}$`).MatchString
)

// Lengths of what a cue holds.
const (
	maxLocaleLen  = 35 // RFC 5646, section 4.4.1
	maxTextLen    = 16 << 10
	maxURLLen     = 4096
	maxProductLen = 128
	maxPrices     = 500
	// maxAmount is what every reader of JSON holds exactly.
	maxAmount = 1<<53 - 1
)

// placement are the members that say when, and are no part of what viewers read.
var placement = []string{"at", "duration", "end"}

// parseScript reads a cue's JSON. The error is an *Error.
func parseScript(data []byte) (script, error) {
	v, err := readCue(data)
	if err != nil {
		return script{}, err
	}
	return checkScript(v)
}

// readCue reads JSON that has to be a cue, or a patch for one.
func readCue(data []byte) (object, error) {
	if len(data) > MaxBytes {
		return nil, refuse(TooLarge, "a cue of %d bytes: at most %d are possible; put large things behind a URL", len(data), MaxBytes)
	}
	v, err := readJSON(data)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, refuse(Invalid, "a cue is a JSON object, and this is %s", describe(v))
	}
	return o, nil
}

// checkScript makes a script of a cue.
func checkScript(o object) (script, error) {
	for _, name := range []string{"rev", "locale"} {
		if _, ok := o.get(name); ok {
			return script{}, refuse(Invalid, "%s is the server's to say: leave it out", name)
		}
	}
	var s script
	c := checker{}
	s.id = c.word(o, "id", validID, "up to 64 of A-Z, a-z, 0-9, ., _ and -")
	s.kind = c.word(o, "kind", validWord, "product, hide, countdown, message, or a word of your own: up to 32 of a-z, 0-9, _ and -")
	s.slot = cmp.Or(c.word(o, "slot", validWord, "up to 32 of a-z, 0-9, _ and -"), mainSlot)
	s.times(&c, o)
	s.body = c.body(o.without(append([]string{"id", "kind", "slot"}, placement...)...))
	s.checkKind(&c)
	if c.err != nil {
		return script{}, c.err
	}
	return s, nil
}

// times reads when the cue begins and ends.
func (s *script) times(c *checker, o object) {
	if v, ok := o.get("at"); ok {
		s.at = check(c, func() (when, error) { return parseWhen("at", v) })
	}
	d, hasDuration := o.get("duration")
	e, hasEnd := o.get("end")
	switch {
	case hasDuration && hasEnd:
		c.fail("duration and end are both there: say one of them")
	case hasDuration:
		s.end = check(c, func() (when, error) { return parseDuration(d) })
	case hasEnd:
		s.end = check(c, func() (when, error) { return parseWhen("end", e) })
		if s.end.By == byKeyframe {
			c.fail(`end is "keyframe", which only "at" can be: use "now", "+3s", a date or {"media": seconds}`)
		}
	}
}

// checkKind sees to it that the kinds that players know can be shown.
func (s *script) checkKind(c *checker) {
	has := func(name string) bool { _, ok := s.body.get(name); return ok }
	if s.kind == "" {
		switch {
		case has("products"):
			s.kind = kindProduct
		case has("until"):
			s.kind = kindCountdown
		case has("text"):
			s.kind = kindMessage
		default:
			c.fail("kind is missing: say product, hide, countdown, message, or a word of your own")
		}
	}
	switch {
	case s.kind == kindProduct && !has("products"):
		c.fail("products is missing: a cue of kind product shows at least one")
	case s.kind == kindCountdown && !has("until"):
		c.fail(`until is missing: a countdown needs a date, or a time from its start such as "+10m"`)
	case s.kind == kindMessage && !has("text"):
		c.fail("text is missing: a cue of kind message shows one")
	}
}

// checker keeps the first thing that is wrong.
type checker struct{ err error }

func (c *checker) fail(format string, args ...any) {
	if c.err == nil {
		c.err = refuse(Invalid, format, args...)
	}
}

func check[T any](c *checker, f func() (T, error)) T {
	v, err := f()
	if err != nil && c.err == nil {
		c.err = err
	}
	return v
}

// word returns the member called name, "" if there is none.
func (c *checker) word(o object, name string, valid func(string) bool, form string) string {
	v, ok := o.get(name)
	if !ok {
		return ""
	}
	s, _ := v.(string)
	if !valid(s) {
		c.fail("%s is %s: it must be %s", name, describe(v), form)
	}
	return s
}

// body checks the members that viewers read, and returns them in canonical form: first those that the house
// knows, in one order, then the others by name.
func (c *checker) body(o object) object {
	var out object
	for _, known := range []struct {
		name  string
		check func(name string, v any) any
	}{
		{"products", c.products}, {"text", c.text}, {"until", c.until}, {"data", c.any},
	} {
		if v, ok := o.get(known.name); ok {
			out = append(out, member{known.name, known.check(known.name, v)})
			o = o.without(known.name)
		}
	}
	return append(out, sorted(o)...)
}

// sorted returns the members by name.
func sorted(o object) object {
	o = slices.Clone(o)
	slices.SortFunc(o, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return o
}

func (c *checker) any(_ string, v any) any { return v }

func (c *checker) until(_ string, v any) any {
	if err := parseUntil(v); err != nil && c.err == nil {
		c.err = err
	}
	return v
}

func (c *checker) products(name string, v any) any {
	l, ok := v.(list)
	if !ok || len(l) == 0 {
		c.fail("%s is %s: it must be a list of at least one product", name, describeEmpty(v))
		return nil
	}
	if len(l) > MaxProducts {
		c.fail("%s has %d entries: at most %d are possible in one cue", name, len(l), MaxProducts)
		return nil
	}
	out := make(list, len(l))
	seen := make(map[string]bool)
	for i, p := range l {
		path := name + "[" + strconv.Itoa(i) + "]"
		o := c.product(path, p)
		if id := o.text("id"); seen[id] {
			c.fail("%s.id is %s, and so is that of another product of the cue: each is there once", path, quote(id))
		} else {
			seen[id] = true
		}
		out[i] = o
		if c.err != nil {
			return nil
		}
	}
	return out
}

func describeEmpty(v any) string {
	if l, ok := v.(list); ok && len(l) == 0 {
		return "an empty list"
	}
	return describe(v)
}

func (c *checker) product(path string, v any) object {
	o, ok := v.(object)
	if !ok {
		c.fail("%s is %s: a product is an object with an id", path, describe(v))
		return nil
	}
	var out object
	for _, known := range []struct {
		name  string
		check func(name string, v any) any
	}{
		{"id", c.productID}, {"url", c.url}, {"image", c.url}, {"title", c.text}, {"description", c.text},
		{"prices", c.prices}, {"stock", c.stock}, {"spec", c.url},
	} {
		if v, ok := o.get(known.name); ok {
			out = append(out, member{known.name, known.check(path+"."+known.name, v)})
			o = o.without(known.name)
		}
	}
	if _, ok := out.get("id"); !ok {
		c.fail("%s has no id: say which product it is", path)
	}
	return append(out, sorted(o)...)
}

func (c *checker) productID(path string, v any) any {
	if s, ok := v.(string); !ok || !validProduct(s) {
		c.fail("%s is %s: it must be text of 1 to %d characters", path, describe(v), maxProductLen)
	}
	return v
}

// validProduct reports whether s can be a product's id: most shops' keys can.
func validProduct(s string) bool {
	return s != "" && len(s) <= maxProductLen && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// url allows what a page can load or link to without running anything.
func (c *checker) url(path string, v any) any {
	s, ok := v.(string)
	u, err := url.Parse(s)
	if !ok || err != nil || s == "" || len(s) > maxURLLen || u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http" {
		c.fail("%s is %s: it must be an http or https URL, or a path on the page's own site, of at most %d bytes", path, describe(v), maxURLLen)
	}
	return v
}

// text returns a text by locale; one that comes alone is of no language.
func (c *checker) text(path string, v any) any {
	if s, ok := v.(string); ok {
		v = object{{"und", s}}
	}
	o, ok := v.(object)
	if !ok || len(o) == 0 {
		c.fail(`%s is %s: it must be text, or texts by locale such as {"en": "Bob wig", "fr": "Perruque"}`, path, describe(v))
		return nil
	}
	if len(o) > MaxLocales {
		c.fail("%s has %d locales: at most %d are possible", path, len(o), MaxLocales)
		return nil
	}
	seen := make(map[string]bool)
	for _, m := range o {
		s, ok := m.value.(string)
		tag := strings.ToLower(m.name)
		switch {
		case !isLocale(m.name):
			c.fail(`%s has the locale %s: it must be a BCP 47 tag, such as "en", "pt-BR" or "zh-Hans"`, path, quote(m.name))
		case seen[tag]:
			c.fail("%s has the locale %s twice, in small letters and in capitals: say it once", path, quote(m.name))
		case !ok || len(s) > maxTextLen:
			c.fail("%s.%s is %s: it must be text of at most %d bytes", path, m.name, describe(m.value), maxTextLen)
		}
		seen[tag] = true
	}
	return o
}

func isLocale(s string) bool { return len(s) <= maxLocaleLen && validLocale(s) }

func (c *checker) prices(path string, v any) any {
	o, ok := v.(object)
	if !ok || len(o) > maxPrices {
		c.fail(`%s is %s: it must be prices by currency, such as {"USD": {"amount": 3999}}, at most %d`, path, describe(v), maxPrices)
		return nil
	}
	for _, m := range o {
		if !validPrice(m.name) {
			c.fail(`%s has the key %s: it must be an ISO 4217 currency such as USD, or market and currency such as US-USD`, path, quote(m.name))
		}
		p, ok := m.value.(object)
		if !ok {
			c.fail(`%s.%s is %s: a price is an object such as {"amount": 3999, "list": 5999}`, path, m.name, describe(m.value))
			continue
		}
		if _, ok := p.get("amount"); !ok {
			c.fail("%s.%s has no amount: say it in minor units, such as 3999 for 39.99", path, m.name)
		}
		for _, part := range []string{"amount", "list"} {
			if n, ok := p.get(part); ok && !isCount(n) {
				c.fail("%s.%s.%s is %s: it must be a whole number of minor units, such as 3999 for 39.99", path, m.name, part, describe(n))
			}
		}
	}
	return o
}

func (c *checker) stock(path string, v any) any {
	if !isCount(v) {
		c.fail("%s is %s: it must be a whole number; leave it out if it is not known", path, describe(v))
	}
	return v
}

// isCount reports whether v is a whole number that is not negative, and not beyond what doubles hold.
func isCount(v any) bool {
	n, ok := v.(json.Number)
	if !ok {
		return false
	}
	f, err := n.Float64()
	return err == nil && f >= 0 && f <= maxAmount && f == math.Trunc(f)
}

// document returns the content document of a revision: canonical, so that the same cue has the same bytes and
// the same hash.
func (s script) document(id string, rev int) []byte {
	head := object{
		{"id", id}, {"rev", number(rev)}, {"kind", s.kind}, {"slot", s.slot},
	}
	return appendJSON(nil, append(head, s.body...))
}

// renumber returns the content document of another revision that says the same.
func renumber(doc []byte, rev int) []byte {
	v, err := readJSON(doc)
	o, ok := v.(object)
	if err != nil || !ok {
		return doc // no document of ours
	}
	return appendJSON(nil, o.with("rev", number(rev)))
}

// untilFrom returns a content document in which the end of the countdown is a date: until, a time from the cue's
// start. A later revision must not make it count anew.
func untilFrom(doc []byte, until string, start time.Time) []byte {
	v, err := readJSON(doc)
	o, ok := v.(object)
	d, badUntil := time.ParseDuration(until)
	if err != nil || badUntil != nil || !ok {
		return doc // no document of ours
	}
	return appendJSON(nil, o.with("until", start.Add(d).UTC().Format("2006-01-02T15:04:05.000Z07:00")))
}

// hash returns the first 16 hexadecimal digits of the SHA-256 of a document.
func hash(doc []byte) string {
	sum := sha256.Sum256(doc)
	return hex.EncodeToString(sum[:8])
}

// digest identifies what a caller has asked for: the whole of the script, but not its layout.
func (s script) digest() string {
	o := append(object{
		{"id", s.id}, {"kind", s.kind}, {"slot", s.slot},
		{"at", string(s.at.By) + strconv.FormatInt(s.at.N, 10)}, {"end", string(s.end.By) + strconv.FormatInt(s.end.N, 10)},
	}, s.body...)
	return hash(appendJSON(nil, o))
}
