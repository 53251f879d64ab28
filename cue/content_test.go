package cue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// taken are cues that are accepted.
var taken = []string{
	`{"kind":"hide"}`,
	`{"text":"hello"}`,
	`{"text":{"en":"hello","pt-BR":"olá","zh-Hans":"你好"}}`,
	`{"kind":"own-word_1","data":[1,{"a":null}]}`,
	`{"id":"wig-3","kind":"product","slot":"side","at":"+3s","duration":"20s","products":[{"id":"sku-1","url":"https://shop.example/p/1?a=b:c","image":"/p/1.webp","title":{"en":"Bob wig","fr":"Perruque"},"description":"soft","prices":{"USD":{"amount":3999,"list":5999},"US-EUR":{"amount":0,"note":"x"}},"stock":12,"spec":"http://shop.example/spec.pdf","weight":0.120}]}`,
	`{"products":[{"id":"a"},{"id":"b"}],"at":"now"}`,
	`{"kind":"hide","at":"keyframe"}`,
	`{"kind":"hide","at":"-500ms"}`,
	`{"kind":"hide","at":"+1h30m"}`,
	`{"kind":"hide","at":{"media":12.345},"end":{"media":20}}`,
	`{"kind":"hide","at":"2026-11-21T20:15:00Z","end":"2026-11-21T20:16:00.250+01:00"}`,
	`{"until":"+10m"}`,
	`{"kind":"countdown","until":"2026-11-21T20:15:00Z","text":"soon"}`,
	`{"kind":"hide","unknown":{"b":1.50,"a":1e400}}`,
	`{"products":[{"id":"a","stock":3.0}]}`,
}

// refused are cues that are not, and a part of the sentence that says why.
var refused = []struct{ cue, why string }{
	{`{}`, "kind is missing"},
	{`[]`, "a cue is a JSON object"},
	{`"now"`, "a cue is a JSON object"},
	{`{"kind":"Product"}`, `kind is "Product"`},
	{`{"kind":7}`, "kind is 7"},
	{`{"kind":"product"}`, "products is missing"},
	{`{"kind":"countdown"}`, "until is missing"},
	{`{"kind":"message"}`, "text is missing"},
	{`{"kind":"hide","id":"a b"}`, `id is "a b"`},
	{`{"kind":"hide","id":""}`, `id is ""`},
	{`{"kind":"hide","id":".."}`, `id is ".."`},
	{`{"kind":"hide","slot":"Main"}`, `slot is "Main"`},
	{`{"kind":"hide","rev":2}`, "rev is the server's"},
	{`{"kind":"hide","locale":"en"}`, "locale is the server's"},
	{`{"kind":"hide","at":"soon"}`, `at is "soon": it must be "now"`},
	{`{"kind":"hide","at":"+3"}`, `at is "+3"`},
	{`{"kind":"hide","at":12}`, "at is 12"},
	{`{"kind":"hide","at":{"media":-1}}`, "at.media is -1"},
	{`{"kind":"hide","at":{"media":1,"x":2}}`, "at is an object"},
	{`{"kind":"hide","at":"2026-11-21 20:15"}`, `at is "2026-11-21 20:15"`},
	{`{"kind":"hide","end":"keyframe"}`, `end is "keyframe"`},
	{`{"kind":"hide","duration":"0s"}`, `duration is "0s"`},
	{`{"kind":"hide","duration":"-3s"}`, `duration is "-3s"`},
	{`{"kind":"hide","duration":20}`, "duration is 20"},
	{`{"kind":"hide","duration":"20s","end":"+20s"}`, "duration and end are both there"},
	{`{"until":"10m"}`, `until is "10m"`},
	{`{"until":"-10m"}`, `until is "-10m"`},
	{`{"text":7}`, "text is 7"},
	{`{"text":{}}`, "text is an object"},
	{`{"text":{"en":1}}`, "text.en is 1"},
	{`{"text":{"e":"x"}}`, `text has the locale "e"`},
	{`{"products":[]}`, "products is an empty list"},
	{`{"products":{}}`, "products is an object"},
	{`{"products":["sku"]}`, `products[0] is "sku"`},
	{`{"products":[{"title":"x"}]}`, "products[0] has no id"},
	{`{"products":[{"id":7}]}`, "products[0].id is 7"},
	{`{"products":[{"id":"a","url":"javascript:alert(1)"}]}`, `products[0].url is "javascript:alert(1)"`},
	{`{"products":[{"id":"a","image":"data:image/png;base64,xx"}]}`, "products[0].image is"},
	{`{"products":[{"id":"a","prices":{"usd":{"amount":1}}}]}`, `products[0].prices has the key "usd"`},
	{`{"products":[{"id":"a","prices":{"USD":39.99}}]}`, "products[0].prices.USD is 39.99"},
	{`{"products":[{"id":"a","prices":{"USD":{"amount":39.99}}}]}`, "products[0].prices.USD.amount is 39.99: it must be a whole number of minor units"},
	{`{"products":[{"id":"a","prices":{"USD":{"amount":"3999"}}}]}`, `amount is "3999"`},
	{`{"products":[{"id":"a","prices":{"USD":{"list":1}}}]}`, "has no amount"},
	{`{"products":[{"id":"a","stock":-1}]}`, "products[0].stock is -1"},
	{`{"products":[{"id":"a","stock":null}]}`, "products[0].stock is null"},
}

// unschemed are refused for reasons that a schema has no word for.
var unschemed = []struct{ cue, why string }{
	{`{"kind":"hide"} {}`, "something behind"},
	{`{"kind":"hide"`, "ends too early"},
	{``, "ends too early"},
	{`{"kind":hide}`, "this is no JSON"},
	{`{"kind":"hide","kind":"hide"}`, `"kind" is there twice`},
	{"{\"kind\":\"hide\",\"x\":\"\xff\"}", "UTF-8"},
	{`{"kind":"hide","x":"\ud83d"}`, "surrogate"},
	{`{"kind":"hide","x":"\udc00\ud83d"}`, "surrogate"},
	{`{"kind":"hide","x":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `}`, "nested"},
	{`{"kind":"hide","x":` + strings.Repeat("1", maxNumber+1) + `}`, "digits"},
	{`{"products":[{"id":"a"},{"id":"a"}]}`, "another product"},
	{`{"text":{"en":"a","EN":"b"}}`, "twice"},
	{`{"kind":"hide","at":"2026-13-01T00:00:00Z"}`, "at is"},
	{`{"kind":"hide","x":"` + strings.Repeat("x", MaxBytes) + `"}`, "65536"},
	{`{"products":[` + strings.Repeat(`{"id":"a"},`, MaxProducts) + `{"id":"a"}]}`, "entries"},
}

func TestParse(t *testing.T) {
	for _, body := range taken {
		sc, err := parseScript([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		doc := sc.document("x", 1)
		again, err := parseScript(bytes.Replace(doc, []byte(`"rev":1,`), nil, 1))
		if err != nil || !bytes.Equal(again.document("x", 1), doc) {
			t.Errorf("%s: the document %s is not canonical: %v", body, doc, err)
		}
	}
	for _, c := range append(refused, unschemed...) {
		_, err := parseScript([]byte(c.cue))
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%.200s: %v, want %q", c.cue, err, c.why)
		}
		if err != nil && (strings.Contains(err.Error(), "\n") || len(err.Error()) > 400) {
			t.Errorf("%.200s: no sentence: %v", c.cue, err)
		}
	}
}

// TestSchema holds the schema against the parser: both accept and refuse the same.
func TestSchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("cue.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("cue.json")
	if err != nil {
		t.Fatal(err)
	}
	valid := func(body string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		return schema.Validate(v)
	}
	for _, body := range taken {
		if err := valid(body); err != nil {
			t.Errorf("the parser takes %s; the schema: %v", body, err)
		}
	}
	for _, r := range refused {
		if valid(r.cue) == nil {
			t.Errorf("the parser refuses %s (%s), the schema does not", r.cue, r.why)
		}
	}
}

// What the house does not know comes out as it went in, numbers to the digit.
func TestUnknownMembers(t *testing.T) {
	sc, err := parseScript([]byte(`{"zz":{"b":1.50,"a":[1e400,-0,"\u00e9\u2028<>&\"\\"]},"kind":"x","products":[{"y":true,"id":"a","x":0.10}],"aa":null}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"i","rev":3,"kind":"x","slot":"main","products":[{"id":"a","x":0.10,"y":true}],"aa":null,"zz":{"b":1.50,"a":[1e400,-0,"é\u2028<>&\"\\"]}}`
	if got := string(sc.document("i", 3)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLocalize(t *testing.T) {
	doc := []byte(`{"id":"a","rev":1,"text":{"pt-BR":"oi","und":"?"},"products":[{"id":"p","title":{"en-GB":"wig","fr":"perruque","zh-Hant-TW":"假髮"}}]}`)
	for _, c := range []struct{ locale, text, title string }{
		{"fr", "?", "perruque"},
		{"fr-CA", "?", "perruque"},
		{"FR-ca", "?", "perruque"},
		{"pt", "oi", "wig"},
		{"pt-PT", "oi", "wig"},
		{"zh-Hant", "?", "假髮"},
		{"zh-Hant-TW-x", "?", "假髮"},
		{"ja", "?", "wig"},
	} {
		out, err := localize(doc, c.locale)
		want := fmt.Sprintf(`{"id":"a","rev":1,"text":%q,"products":[{"id":"p","title":%q}],"locale":%q}`, c.text, c.title, c.locale)
		if err != nil || string(out) != want {
			t.Errorf("%s: %s (%v), want %s", c.locale, out, err, want)
		}
	}
}

func TestMerge(t *testing.T) {
	// RFC 7386, appendix A.
	for _, c := range []struct{ base, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		base, err := readJSON([]byte(c.base))
		if err != nil {
			t.Fatal(err)
		}
		patch, err := readJSON([]byte(c.patch))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendJSON(nil, merge(base, patch))); got != c.want {
			t.Errorf("%s with %s is %s, want %s", c.base, c.patch, got, c.want)
		}
		if got := string(appendJSON(nil, base)); got != c.base {
			t.Errorf("merging %s has changed %s to %s", c.patch, c.base, got)
		}
	}
}

// FuzzParse: what is accepted is canonical, says the same to every reader of JSON, and can be localized and
// revised.
func FuzzParse(f *testing.F) {
	for _, body := range taken {
		f.Add([]byte(body))
	}
	for _, r := range append(refused, unschemed[:len(unschemed)-2]...) {
		f.Add([]byte(r.cue))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		sc, err := parseScript(body)
		if err != nil {
			return
		}
		doc := sc.document("x", 1)
		var in, out map[string]any
		a, b := json.NewDecoder(bytes.NewReader(body)), json.NewDecoder(bytes.NewReader(doc))
		a.UseNumber()
		b.UseNumber()
		if err := a.Decode(&in); err != nil {
			t.Fatalf("%s is no JSON: %v", body, err)
		}
		if err := b.Decode(&out); err != nil {
			t.Fatalf("the document %s is no JSON: %v", doc, err)
		}
		for name, v := range in {
			switch name {
			case "id", "at", "end", "duration", "kind", "slot", "products", "text":
				continue
			}
			if fmt.Sprint(v) != fmt.Sprint(out[name]) {
				t.Errorf("%s is %v, and was %v", name, out[name], v)
			}
		}
		again, err := parseScript(bytes.Replace(doc, []byte(`"rev":1,`), nil, 1))
		if err != nil || !bytes.Equal(again.document("x", 1), doc) {
			t.Errorf("the document %s is not canonical: %v", doc, err)
		}
		local, err := localize(doc, "fr-CA")
		if err != nil || !json.Valid(local) {
			t.Errorf("localized: %s, %v", local, err)
		}
		r := &revision{id: "x", rev: 1, doc: doc}
		if _, _, err := r.patched(object{{"extra", "1"}}, false); err != nil {
			t.Errorf("%s can't be revised: %v", doc, err)
		}
	})
}
