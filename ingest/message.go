package ingest

import (
	"math"
	"time"

	"pushcart/ingest/rtmp/amf"
)

// tell hands a data message to those who listen, at its show time.
func (s *Session) tell(payload []byte, at time.Duration) {
	if s.messages == nil {
		return
	}
	name, args, ok := readMessage(payload)
	if ok && !metadata[name] {
		s.messages.HostMessage(s.pub.Stream(), name, args, at)
	}
}

// metadata are the messages that describe the tracks, or say what Adobe's players may do with them.
var metadata = map[string]bool{"onMetaData": true, "|RtmpSampleAccess": true}

// readMessage takes a data message apart. It has no more values than the AMF reader allows.
func readMessage(payload []byte) (name string, args []any, ok bool) {
	r := amf.NewReader(payload)
	name = r.String()
	for r.More() {
		args = append(args, plain(r.Value()))
	}
	return name, args, r.Err() == nil && name != ""
}

// plain makes a value of AMF0 one that JSON has; what is no number becomes nil. Of members with the same name the last one counts.
func plain(v any) any {
	switch v := v.(type) {
	case amf.Object:
		return plainMembers(v)
	case amf.Array:
		return plainMembers(amf.Object(v))
	case amf.List:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	case amf.Date:
		return plain(float64(v))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
	}
	return v
}

func plainMembers(o amf.Object) map[string]any {
	m := make(map[string]any, len(o))
	for _, member := range o {
		m[member.Name] = plain(member.Value)
	}
	return m
}
