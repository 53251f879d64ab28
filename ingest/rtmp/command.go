package rtmp

import (
	"errors"
	"log/slog"

	"pushcart/ingest"
	"pushcart/ingest/rtmp/amf"
	"pushcart/ingest/rtmp/chunk"
)

// Status codes, as in Adobe's NetConnection and NetStream.
const (
	codeConnectSuccess   = "NetConnection.Connect.Success"
	codeConnectRejected  = "NetConnection.Connect.Rejected"
	codeConnectClosed    = "NetConnection.Connect.Closed"
	codePublishStart     = "NetStream.Publish.Start"
	codePublishDenied    = "NetStream.Publish.Denied"
	codePublishBadName   = "NetStream.Publish.BadName"
	codePlayFailed       = "NetStream.Play.Failed"
	codeUnpublishSuccess = "NetStream.Unpublish.Success"
)

// command is one command message, taken apart.
type command struct {
	stream      uint32
	name        string
	transaction float64
	args        []any // without the command object where that is null
}

// parseCommand reads a command message. Arguments that can't be read (AMF3 values, most likely) end the
// list: only a name and a transaction are needed.
func parseCommand(stream uint32, data []byte) (command, error) {
	r := amf.NewReader(data)
	cmd := command{stream: stream, name: r.String()}
	cmd.transaction = r.Number()
	if r.Err() != nil {
		return cmd, r.Err()
	}
	for r.More() {
		v := r.Value()
		if errors.As(r.Err(), new(amf.FormatError)) {
			return cmd, r.Err()
		}
		cmd.args = append(cmd.args, v)
	}
	return cmd, nil
}

// text returns the argument behind the command object if it is a string. Some encoders leave out the
// object, so the first string counts.
func (c command) text() string {
	for _, a := range c.args {
		if s, ok := a.(string); ok {
			return s
		}
	}
	return ""
}

func (c *conn) command(stream uint32, data []byte) error {
	cmd, err := parseCommand(stream, data)
	if err != nil {
		if c.feed != nil {
			c.feed.complain(nil, err)
			return nil
		}
		return err
	}
	switch cmd.name {
	case "connect":
		return c.connect(cmd)
	case "releaseStream":
		return c.send(reply(0, "_result", cmd.transaction, nil, nil))
	case "FCPublish":
		return c.send(
			reply(0, "_result", cmd.transaction, nil, nil),
			reply(0, "onFCPublish", 0, nil, status("status", codePublishStart, "")))
	case "createStream":
		if c.streams == maxMessageStreams {
			return FormatError("createStream was called too often")
		}
		c.streams++
		return c.send(reply(0, "_result", cmd.transaction, nil, float64(c.streams)))
	case "publish":
		return c.publish(cmd)
	case "FCUnpublish", "deleteStream", "closeStream":
		return c.goodbye(cmd)
	case "play", "play2":
		return c.play(cmd)
	case "getStreamLength":
		return c.send(reply(0, "_result", cmd.transaction, nil, 0.0))
	case "_result", "_error", "onStatus":
		return nil // answers to nothing we asked
	}
	// _checkbw, FCSubscribe, makers' own: an answer lets them go on, an error would stop some.
	if cmd.transaction == 0 {
		return nil
	}
	return c.send(reply(0, "_result", cmd.transaction, nil, nil))
}

// connect answers the first command of every connection.
func (c *conn) connect(cmd command) error {
	var object amf.Object
	if len(cmd.args) > 0 {
		object = amf.Members(cmd.args[0])
	}
	c.app, c.tcURL = object.String("app"), object.String("tcUrl")
	c.agent = object.String("flashVer")
	c.agent = c.agent[:min(len(c.agent), maxAgentLength)]
	for _, s := range []string{c.app, c.tcURL} {
		if sentence := checkApp(s); sentence != "" {
			rejected := status("error", codeConnectRejected, sentence)
			return c.turnDown(reply(0, "_error", cmd.transaction, nil, rejected), "rtmp: connect refused", errors.New(sentence))
		}
	}
	c.connected = true
	c.meter.setWindow(window)
	properties := amf.Object{
		{Name: "fmsVer", Value: "FMS/3,0,1,123"}, // what librtmp and others expect a server to look like
		{Name: "capabilities", Value: 31.0},
	}
	info := append(status("status", codeConnectSuccess, "Connection succeeded."), amf.Member{Name: "objectEncoding", Value: 0.0})
	if object.Has("fourCcList") || object.Has("videoFourCcInfoMap") || object.Has("audioFourCcInfoMap") || object.Has("capsEx") {
		// Enhanced RTMP does not say in which of the two objects; clients look into either.
		properties = append(properties, enhancedCapabilities...)
		info = append(info, enhancedCapabilities...)
	}
	return c.send(windowAckSize(), peerBandwidth(), setChunkSize(), reply(0, "_result", cmd.transaction, properties, info))
}

// enhancedCapabilities say what we take of Enhanced RTMP, to clients that speak it.
var enhancedCapabilities = func() amf.Object {
	const (
		canForward = 4.0
		multitrack = 0x02
		modEx      = 0x04
	)
	mask := func(names ...string) (o amf.Object) {
		for _, n := range names {
			o = append(o, amf.Member{Name: n, Value: canForward})
		}
		return o
	}
	return amf.Object{
		{Name: "fourCcList", Value: amf.List{"avc1", "hvc1", "av01", "mp4a", "Opus"}},
		{Name: "videoFourCcInfoMap", Value: mask("avc1", "hvc1", "av01")},
		{Name: "audioFourCcInfoMap", Value: mask("mp4a", "Opus")},
		{Name: "capsEx", Value: float64(multitrack | modEx)},
	}
}()

// publish asks the opener to let the host in.
func (c *conn) publish(cmd command) error {
	if !c.connected {
		return FormatError("publish came before connect")
	}
	if c.feed != nil {
		return c.send(onStatus(cmd.stream, "error", codePublishBadName,
			"This connection already publishes: open another one for another stream."))
	}
	n, err := publishName(c.app, c.tcURL, cmd.text())
	if err != nil {
		return c.refuse(cmd.stream, codePublishDenied, err)
	}
	pub, err := c.server.Opener.Open(ingest.Request{
		Protocol: c.protocol, Remote: c.place.Remote, App: n.app, Key: n.key, Query: n.query, Agent: c.agent,
	})
	if err != nil {
		if !errors.As(err, new(*ingest.Refusal)) {
			c.server.Log.Error("rtmp: a publish failed", "remote", c.place.Remote, "app", n.app, "err", err)
			err = errors.New("The server could not take the show: try again in a moment.")
		}
		return c.refuse(cmd.stream, codePublishDenied, err)
	}
	c.publishing(pub, cmd.stream)
	return c.send(
		userControl(eventStreamBegin, cmd.stream),
		onStatus(cmd.stream, "status", codePublishStart, "Publishing."))
}

// goodbye ends the publish, if the command means it: some encoders delete streams they never used.
func (c *conn) goodbye(cmd command) error {
	if c.feed == nil {
		return nil
	}
	if cmd.name == "deleteStream" {
		for _, a := range cmd.args {
			if id, ok := a.(float64); ok && id >= 1 && id <= float64(c.streams) && uint32(id) != c.stream {
				return nil
			}
		}
	}
	c.unpublish(nil)
	answer := onStatus(c.stream, "status", codeUnpublishSuccess, "Publishing has ended.")
	var err error
	if cmd.name == "FCUnpublish" {
		err = c.send(reply(0, "onFCUnpublish", 0, nil, status("status", codeUnpublishSuccess, "")), answer)
	} else {
		err = c.send(answer)
	}
	if err != nil {
		return errGoodbye // it has not waited for the answer
	}
	return nil
}

// play is what the other half of RTMP servers do.
func (c *conn) play(cmd command) error {
	sentence := errors.New("This door only takes shows in: to watch one, open its HLS address in a browser or player.")
	if c.feed != nil {
		return c.send(onStatus(cmd.stream, "error", codePlayFailed, sentence.Error()))
	}
	return c.refuse(cmd.stream, codePlayFailed, sentence)
}

// refuse tells the client why its wish is turned down and returns the error that closes the
// connection: ffmpeg waits for ever after a refusal alone.
func (c *conn) refuse(stream uint32, code string, why error) error {
	return c.turnDown(onStatus(stream, "error", code, why.Error()), "rtmp: publish refused", why)
}

// turnDown counts a refusal, sends the answer, logs it and hangs up.
func (c *conn) turnDown(answer chunk.Message, what string, why error) error {
	c.server.lobby.Refused.Add(1)
	c.send(answer)
	c.server.lobby.Noise.Log(slog.LevelWarn, what,
		"remote", c.place.Remote, "app", c.app, "agent", c.agent, "why", why)
	c.hangUp()
	return errGoodbye
}
