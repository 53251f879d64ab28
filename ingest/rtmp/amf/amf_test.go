package amf

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	long := strings.Repeat("x", MaxString)
	for _, v := range []any{
		nil, true, false, 0.0, -1.5, math.Inf(1), "", "live", "ключ", long,
		Object{}, Object{{"app", "live"}, {"nested", Object{{"a", 1.0}}}, {"", "a name may be empty"}},
		Array{}, Array{{"duration", 0.0}, {"encoder", "x"}},
		List{}, List{1.0, "two", nil, List{}},
		Date(1700000000000),
	} {
		b := Append(nil, v)
		r := NewReader(b)
		if got := r.Value(); r.Err() != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%.60v comes back as %.60v, %v", v, got, r.Err())
		}
		if r.More() {
			t.Errorf("%.60v leaves bytes behind", v)
		}
		for i := range b {
			// An array without its end is taken at depth one, where hardware encoders leave it out.
			r := NewReader(b[:i])
			if r.Value(); r.Err() == nil && Members(v) == nil {
				t.Errorf("%.60v cut at %d is no error", v, i)
			}
		}
	}
}

func TestReader(t *testing.T) {
	for _, test := range []struct {
		name string
		in   string
		want any
	}{
		{"undefined", "\x06", nil},
		{"unsupported", "\x0D", nil},
		{"any byte but zero is true", "\x01\x07", true},
		{"typed object", "\x10\x00\x03abc\x00\x01a\x05\x00\x00\x09", Object{{"a", nil}}},
		{"XML", "\x0F\x00\x00\x00\x03<a>", "<a>"},
		{"count of an array is wrong", "\x08\xFF\xFF\xFF\xFF\x00\x01a\x05\x00\x00\x09", Array{{"a", nil}}},
		{"array without its end", "\x08\x00\x00\x00\x01\x00\x01a\x01\x01", Array{{"a", true}}},
		{"date's zone is ignored", "\x0B\x00\x00\x00\x00\x00\x00\x00\x00\x12\x34", Date(0)},
	} {
		r := NewReader([]byte(test.in))
		if got := r.Value(); r.Err() != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %v, %v", test.name, got, r.Err())
		}
	}
}

func TestReaderErrors(t *testing.T) {
	object := func(n int) string { return strings.Repeat("\x03\x00\x01a", n) }
	for _, test := range []struct {
		name, in    string
		unsupported bool
	}{
		{name: "nothing"},
		{name: "short number", in: "\x00\x00"},
		{name: "short string", in: "\x02\x00\x05abc"},
		{name: "string of 4 GiB", in: "\x0C\xFF\xFF\xFF\xFFabc"},
		{name: "string above the limit", in: "\x0C\x00\x01\x00\x01" + strings.Repeat("x", MaxString+1)},
		{name: "list of 4 billion", in: "\x0A\xFF\xFF\xFF\xFF" + strings.Repeat("\x05", 100)},
		{name: "more values than the limit", in: "\x0A\xFF\xFF\xFF\xFF" + strings.Repeat("\x05", MaxValues)},
		{name: "objects nested without end", in: object(1 << 20)},
		{name: "lists nested without end", in: strings.Repeat("\x0A\x00\x00\x00\x01", 1<<20)},
		{name: "one level above the limit", in: object(MaxDepth) + "\x03\x00\x00\x09" + strings.Repeat("\x00\x00\x09", MaxDepth)},
		{name: "end of no object", in: "\x09"},
		{name: "object cut inside an inner one", in: "\x03\x00\x01a\x03\x00\x01b\x05"},
		{name: "unknown type", in: "\x42"},
		{name: "reference", in: "\x07\x00\x00", unsupported: true},
		{name: "AMF3", in: "\x11\x01", unsupported: true},
	} {
		r := NewReader([]byte(test.in))
		r.Value()
		wantFormat, wantUnsupported := errors.As(r.Err(), new(FormatError)), errors.As(r.Err(), new(UnsupportedError))
		if wantFormat == test.unsupported || wantUnsupported != test.unsupported {
			t.Errorf("%s: error is %v", test.name, r.Err())
		}
		if r.More() || r.Value() != nil || r.String() != "" || r.Number() != 0 {
			t.Errorf("%s: the error does not stick", test.name)
		}
	}
}

func TestMaxDepthIsRead(t *testing.T) {
	in := strings.Repeat("\x03\x00\x01a", MaxDepth-1) + "\x03\x00\x00\x09" + strings.Repeat("\x00\x00\x09", MaxDepth-1)
	r := NewReader([]byte(in))
	if r.Value(); r.Err() != nil || r.More() {
		t.Errorf("%d levels are refused: %v", MaxDepth, r.Err())
	}
}

func TestTypedReads(t *testing.T) {
	r := NewReader(Append(nil, "publish", 5, nil, "key"))
	if s, n := r.String(), r.Number(); s != "publish" || n != 5 {
		t.Errorf("got %q, %v", s, n)
	}
	if r.Number(); !errors.As(r.Err(), new(FormatError)) {
		t.Error("null was taken for a number")
	}
}

func TestObject(t *testing.T) {
	o := Object{{"a", 1.0}, {"b", "x"}, {"a", 2.0}}
	if o.Number("a") != 1 || o.String("b") != "x" || o.String("a") != "" || o.Number("c") != 0 || !o.Has("b") || o.Has("c") {
		t.Error("wrong members")
	}
	if Members(Array(o)) == nil || Members("x") != nil {
		t.Error("wrong kind of value has members")
	}
}

func FuzzReader(f *testing.F) {
	f.Add(Append(nil, "connect", 1, Object{{"app", "live"}, {"videoFourCcInfoMap", Object{{"*", 7.0}}}, {"fourCcList", List{"hvc1"}}}))
	f.Add(Append(nil, "@setDataFrame", "onMetaData", Array{{"duration", 0.0}, {"stereo", true}, {"encoder", "x"}}))
	f.Add(Append(nil, Date(1), nil, List{List{}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(data)
		var values []any
		for r.More() {
			if v := r.Value(); r.Err() == nil {
				values = append(values, v)
			}
		}
		// What was read can be written, and reads the same.
		again := Append(nil, values...)
		if len(values) > 0 && len(again) > 0 {
			r := NewReader(again)
			for range values {
				r.Value()
			}
			if r.Err() != nil || r.More() {
				t.Fatalf("%x is read as %#v, whose %x is not: %v", data, values, again, r.Err())
			}
			r = NewReader(again)
			var second []any
			for range values {
				second = append(second, r.Value())
			}
			if third := Append(nil, second...); !bytes.Equal(again, third) {
				t.Fatalf("%x becomes %x", again, third)
			}
		}
	})
}
