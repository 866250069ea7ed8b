<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>AboutPage</name>
    <message>
        <source>About sightmix</source>
        <translation>Über sightmix</translation>
    </message>
    <message>
        <source>Icons: Phosphor, MIT licence. Qt for Python: LGPL 3.</source>
        <translation>Symbole: Phosphor, MIT-Lizenz. Qt for Python: LGPL 3.</translation>
    </message>
    <message>
        <source>The program is under the Apache licence 2.0, its own models under CC BY-SA 4.0.</source>
        <translation>Das Programm steht unter der Apache-Lizenz 2.0, die eigenen Modelle unter CC BY-SA 4.0.</translation>
    </message>
    <message>
        <source>sightmix {version} brings speech, music and effects to where the picture asks for them.</source>
        <translation>sightmix {version} bringt Sprache, Musik und Effekte dorthin, wo das Bild sie verlangt.</translation>
    </message>
</context>
<context>
    <name>App</name>
    <message>
        <source>Something in the panel has failed; what you did is not lost.</source>
        <translation>Im Panel ist etwas fehlgeschlagen; die bisherige Arbeit ist nicht verloren.</translation>
    </message>
</context>
<context>
    <name>ClipDelegate</name>
    <message>
        <source>Find…</source>
        <translation>Suchen…</translation>
    </message>
</context>
<context>
    <name>ClipList</name>
    <message>
        <source>Clips</source>
        <translation>Clips</translation>
    </message>
</context>
<context>
    <name>Clips</name>
    <message>
        <source>1 clip</source>
        <translation>1 Clip</translation>
    </message>
    <message>
        <source>1 track</source>
        <translation>1 Spur</translation>
    </message>
    <message>
        <source>D</source>
        <comment>dialogue</comment>
        <translation>D</translation>
    </message>
    <message>
        <source>Dialogue</source>
        <translation>Dialog</translation>
    </message>
    <message>
        <source>E</source>
        <comment>effects</comment>
        <translation>E</translation>
    </message>
    <message>
        <source>Effects</source>
        <translation>Effekte</translation>
    </message>
    <message>
        <source>It cannot be rebalanced.</source>
        <translation>Er kann nicht ausbalanciert werden.</translation>
    </message>
    <message>
        <source>It lies off the target of {0}.</source>
        <translation>Er liegt neben dem Ziel von {0}.</translation>
    </message>
    <message>
        <source>It peaks over {0} dBTP.</source>
        <translation>Seine Spitzen liegen über {0} dBTP.</translation>
    </message>
    <message>
        <source>Its media is offline.</source>
        <translation>Seine Medien sind offline.</translation>
    </message>
    <message>
        <source>Its sound cannot be read.</source>
        <translation>Sein Ton ist nicht lesbar.</translation>
    </message>
    <message>
        <source>M</source>
        <comment>music</comment>
        <translation>M</translation>
    </message>
    <message>
        <source>Mix</source>
        <translation>Mischung</translation>
    </message>
    <message>
        <source>Music</source>
        <translation>Musik</translation>
    </message>
    <message>
        <source>Nobody is sure what it holds: say so.</source>
        <translation>Unklar, was er enthält: bitte angeben.</translation>
    </message>
    <message>
        <source>Not sure</source>
        <translation>Unklar</translation>
    </message>
    <message>
        <source>Silent</source>
        <translation>Stumm</translation>
    </message>
    <message>
        <source>Speech lies lower over music or effects than in good films.</source>
        <translation>Die Sprache liegt tiefer über Musik oder Effekten als in guten Filmen.</translation>
    </message>
    <message>
        <source>being rebalanced</source>
        <translation>wird ausbalanciert</translation>
    </message>
    <message>
        <source>buried</source>
        <translation>verdeckt</translation>
    </message>
    <message>
        <source>cancelled</source>
        <translation>abgebrochen</translation>
    </message>
    <message>
        <source>nobody is sure</source>
        <translation>unklar</translation>
    </message>
    <message>
        <source>not possible</source>
        <translation>nicht möglich</translation>
    </message>
    <message>
        <source>off target</source>
        <translation>neben dem Ziel</translation>
    </message>
    <message>
        <source>offline</source>
        <translation>offline</translation>
    </message>
    <message>
        <source>peaks</source>
        <translation>Spitzen zu hoch</translation>
    </message>
    <message>
        <source>rebalanced</source>
        <translation>ausbalanciert</translation>
    </message>
    <message>
        <source>rebalancing failed</source>
        <translation>Ausbalancieren fehlgeschlagen</translation>
    </message>
    <message>
        <source>silent</source>
        <translation>stumm</translation>
    </message>
    <message>
        <source>taken back</source>
        <translation>zurückgenommen</translation>
    </message>
    <message>
        <source>unreadable</source>
        <translation>nicht lesbar</translation>
    </message>
    <message>
        <source>waiting in the queue</source>
        <translation>wartet in der Schlange</translation>
    </message>
    <message>
        <source>with its volume of {0} on the mean</source>
        <translation>mit seiner mittleren Lautstärke von {0}</translation>
    </message>
    <message>
        <source>you said so</source>
        <translation>eigene Angabe</translation>
    </message>
    <message>
        <source>{0} chosen</source>
        <translation>{0} gewählt</translation>
    </message>
    <message>
        <source>{0} clips</source>
        <translation>{0} Clips</translation>
    </message>
    <message>
        <source>{0} shown</source>
        <translation>{0} gezeigt</translation>
    </message>
    <message>
        <source>{0} tracks</source>
        <translation>{0} Spuren</translation>
    </message>
</context>
<context>
    <name>ClipsView</name>
    <message>
        <source>All clips</source>
        <translation>Alle Clips</translation>
    </message>
    <message>
        <source>As sightmix hears it</source>
        <translation>Wie sightmix es hört</translation>
    </message>
    <message>
        <source>A{0} is taken for a mix, for nobody is sure ({1}).</source>
        <translation>A{0} gilt als Mischung, weil der Inhalt unklar ist ({1}).</translation>
    </message>
    <message>
        <source>Choose</source>
        <translation>Auswählen</translation>
    </message>
    <message>
        <source>Choose all of A{0}</source>
        <translation>Alle von A{0} auswählen</translation>
    </message>
    <message>
        <source>Choose clips</source>
        <translation>Clips auswählen</translation>
    </message>
    <message>
        <source>Choose clips by track, by what they lack, or all (Ctrl+A)</source>
        <translation>Clips nach Spur, nach Mängeln oder alle auswählen (Strg+A)</translation>
    </message>
    <message>
        <source>Clips</source>
        <translation>Clips</translation>
    </message>
    <message>
        <source>Clips that need work</source>
        <translation>Clips mit Handlungsbedarf</translation>
    </message>
    <message>
        <source>Find media in a folder…</source>
        <translation>Medien in einem Ordner suchen…</translation>
    </message>
    <message>
        <source>Go to the clip</source>
        <translation>Zum Clip springen</translation>
    </message>
    <message>
        <source>No clip</source>
        <translation>Kein Clip</translation>
    </message>
    <message>
        <source>Offline clips</source>
        <translation>Clips, die offline sind</translation>
    </message>
    <message>
        <source>Rebalance these {0} clips</source>
        <translation>Diese {0} Clips ausbalancieren</translation>
    </message>
    <message>
        <source>Rebalance this clip</source>
        <translation>Diesen Clip ausbalancieren</translation>
    </message>
    <message>
        <source>Show only clips that need work: {0}</source>
        <translation>Nur Clips mit Handlungsbedarf zeigen: {0}</translation>
    </message>
    <message>
        <source>Show the media file's folder</source>
        <translation>Ordner der Mediendatei zeigen</translation>
    </message>
    <message>
        <source>Take back what was done to it</source>
        <translation>Ergebnis dieses Clips zurücknehmen</translation>
    </message>
    <message>
        <source>Take back what was done to them</source>
        <translation>Ergebnisse dieser Clips zurücknehmen</translation>
    </message>
    <message>
        <source>Timeline</source>
        <translation>Timeline</translation>
    </message>
    <message>
        <source>What the track holds</source>
        <translation>Inhalt der Spur</translation>
    </message>
    <message>
        <source>What the tracks hold</source>
        <translation>Inhalt der Spuren</translation>
    </message>
    <message>
        <source>Which timeline of the file is shown</source>
        <translation>Welche Timeline der Datei gezeigt wird</translation>
    </message>
    <message>
        <source>listening…</source>
        <translation>wird angehört…</translation>
    </message>
    <message>
        <source>measuring {0}</source>
        <translation>{0} werden gemessen</translation>
    </message>
    <message>
        <source>reading…</source>
        <translation>wird gelesen…</translation>
    </message>
    <message>
        <source>{0} holds {1}</source>
        <translation>{0} enthält {1}</translation>
    </message>
</context>
<context>
    <name>ClosingDialog</name>
    <message>
        <source>A job is not done yet.</source>
        <translation>Ein Auftrag ist noch nicht fertig.</translation>
    </message>
    <message>
        <source>Close sightmix</source>
        <translation>sightmix schließen</translation>
    </message>
    <message>
        <source>Finish, then close</source>
        <translation>Fertigstellen, dann schließen</translation>
    </message>
    <message>
        <source>Stay</source>
        <translation>Bleiben</translation>
    </message>
    <message>
        <source>Stop and close</source>
        <translation>Anhalten und schließen</translation>
    </message>
    <message>
        <source>The one that runs takes about {time} more.</source>
        <translation>Der laufende braucht noch etwa {time}.</translation>
    </message>
    <message>
        <source>What is complete is kept: the next time the panel is opened they go on from there.</source>
        <translation>Was fertig ist, bleibt: beim nächsten Öffnen des Panels geht es dort weiter.</translation>
    </message>
    <message>
        <source>{n} jobs are not done yet.</source>
        <translation>{n} Aufträge sind noch nicht fertig.</translation>
    </message>
</context>
<context>
    <name>Deeds</name>
    <message>
        <source>add curve point</source>
        <translation>Kurvenpunkt setzen</translation>
    </message>
    <message>
        <source>change category</source>
        <translation>Kategorie ändern</translation>
    </message>
    <message>
        <source>delete curve points</source>
        <translation>Kurvenpunkte löschen</translation>
    </message>
    <message>
        <source>draw curve</source>
        <translation>Kurve zeichnen</translation>
    </message>
    <message>
        <source>make points of curve</source>
        <translation>Kurve in Punkte verwandeln</translation>
    </message>
    <message>
        <source>move a job</source>
        <translation>Auftrag verschieben</translation>
    </message>
    <message>
        <source>move a sound</source>
        <translation>Geräusch verschieben</translation>
    </message>
    <message>
        <source>move curve points</source>
        <translation>Kurvenpunkte verschieben</translation>
    </message>
    <message>
        <source>pick a sound</source>
        <translation>Geräusch auswählen</translation>
    </message>
    <message>
        <source>reset all curves to the model</source>
        <translation>Alle Kurven auf das Modell zurücksetzen</translation>
    </message>
    <message>
        <source>reset settings</source>
        <translation>Einstellungen zurücksetzen</translation>
    </message>
    <message>
        <source>reset stem to the model</source>
        <translation>Stem auf das Modell zurücksetzen</translation>
    </message>
    <message>
        <source>reset stretch to the model</source>
        <translation>Abschnitt auf das Modell zurücksetzen</translation>
    </message>
    <message>
        <source>take a job off the queue</source>
        <translation>Auftrag aus der Warteschlange nehmen</translation>
    </message>
    <message>
        <source>take results off the timeline</source>
        <translation>Ergebnisse aus der Timeline nehmen</translation>
    </message>
</context>
<context>
    <name>DropTarget</name>
    <message>
        <source>Look for media in {0}</source>
        <translation>Medien in {0} suchen</translation>
    </message>
    <message>
        <source>Open {0}</source>
        <translation>{0} öffnen</translation>
    </message>
    <message>
        <source>This is neither a timeline nor a media file</source>
        <translation>Das ist weder eine Timeline noch eine Mediendatei</translation>
    </message>
</context>
<context>
    <name>EmptyView</name>
    <message>
        <source>Drop a timeline here</source>
        <translation>Timeline hier ablegen</translation>
    </message>
    <message>
        <source>Everything runs on this computer; originals are never changed.</source>
        <translation>Alles läuft auf diesem Rechner; Originale werden nie verändert.</translation>
    </message>
    <message>
        <source>Nothing is open</source>
        <translation>Nichts ist geöffnet</translation>
    </message>
    <message>
        <source>OTIO, FCPXML, FCP 7 XML, AAF, EDL or a media file</source>
        <translation>OTIO, FCPXML, FCP 7 XML, AAF, EDL oder eine Mediendatei</translation>
    </message>
    <message>
        <source>Open lately</source>
        <translation>Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>Open {name}</source>
        <translation>{name} öffnen</translation>
    </message>
    <message>
        <source>is not there any more</source>
        <translation>ist nicht mehr da</translation>
    </message>
</context>
<context>
    <name>ExportView</name>
    <message>
        <source>A set for each clip</source>
        <translation>Ein Satz je Clip</translation>
    </message>
    <message>
        <source>All files</source>
        <translation>Alle Dateien</translation>
    </message>
    <message>
        <source>As long as the timeline</source>
        <translation>So lang wie die Timeline</translation>
    </message>
    <message>
        <source>Bring the mix to a delivery spec, all stems alike, and hold it against it</source>
        <translation>Die Mischung auf eine Anliefernorm bringen, alle Stems ebenso, und daran prüfen</translation>
    </message>
    <message>
        <source>Check a delivery</source>
        <translation>Anlieferung prüfen</translation>
    </message>
    <message>
        <source>Check files</source>
        <translation>Dateien prüfen</translation>
    </message>
    <message>
        <source>Check files…</source>
        <translation>Dateien prüfen…</translation>
    </message>
    <message>
        <source>Check of the delivery</source>
        <translation>Prüfung der Anlieferung</translation>
    </message>
    <message>
        <source>Choose where to write</source>
        <translation>Zielort wählen</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Wählen…</translation>
    </message>
    <message>
        <source>Copies the sentence and what the engine said, for who helps you</source>
        <translation>Kopiert den Satz und die Meldung der Engine, für alle, die helfen</translation>
    </message>
    <message>
        <source>Copy details</source>
        <translation>Details kopieren</translation>
    </message>
    <message>
        <source>Delivery</source>
        <translation>Anlieferung</translation>
    </message>
    <message>
        <source>Delivery spec to check against</source>
        <translation>Anliefernorm, an der geprüft wird</translation>
    </message>
    <message>
        <source>Dialogue</source>
        <translation>Dialog</translation>
    </message>
    <message>
        <source>Effects</source>
        <translation>Effekte</translation>
    </message>
    <message>
        <source>Every file of a set begins at the same sample and is equally long</source>
        <translation>Alle Dateien eines Satzes beginnen am selben Sample und sind gleich lang</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Export</translation>
    </message>
    <message>
        <source>Figure</source>
        <translation>Wert</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Files written: {count}, in {folder}</source>
        <translation>Geschriebene Dateien: {count}, in {folder}</translation>
    </message>
    <message>
        <source>First part of the files' names; the timeline's name if empty</source>
        <translation>Erster Teil der Dateinamen; leer: der Name der Timeline</translation>
    </message>
    <message>
        <source>For</source>
        <translation>Für</translation>
    </message>
    <message>
        <source>For which program, or in which format (↑ ↓)</source>
        <translation>Für welches Programm oder in welchem Format (↑ ↓)</translation>
    </message>
    <message>
        <source>How far it is</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>In any program: {steps}</source>
        <translation>In jedem Programm: {steps}</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>Länge</translation>
    </message>
    <message>
        <source>Length of the stems</source>
        <translation>Länge der Stems</translation>
    </message>
    <message>
        <source>Levels as they are</source>
        <translation>Pegel unverändert</translation>
    </message>
    <message>
        <source>Looking what of this timeline it will lack …</source>
        <translation>Es wird nachgesehen, was dem Format von dieser Timeline fehlen wird …</translation>
    </message>
    <message>
        <source>Measure delivered files and say what is out; nothing is written</source>
        <translation>Gelieferte Dateien messen und Abweichungen nennen; geschrieben wird nichts</translation>
    </message>
    <message>
        <source>Measured</source>
        <translation>Gemessen</translation>
    </message>
    <message>
        <source>Multi-mono (.L.wav, .R.wav …) instead of interleaved files</source>
        <translation>Multi-Mono (.L.wav, .R.wav …) statt Interleaved-Dateien</translation>
    </message>
    <message>
        <source>Music</source>
        <translation>Musik</translation>
    </message>
    <message>
        <source>Music and effects</source>
        <translation>Musik und Effekte</translation>
    </message>
    <message>
        <source>No timeline is open</source>
        <translation>Keine Timeline ist geöffnet</translation>
    </message>
    <message>
        <source>Nothing is rebalanced yet: this is the timeline as it was.</source>
        <translation>Noch ist nichts ausbalanciert: Das ist die Timeline, wie sie war.</translation>
    </message>
    <message>
        <source>Nothing of this timeline is lost.</source>
        <translation>Von dieser Timeline geht nichts verloren.</translation>
    </message>
    <message>
        <source>OUT</source>
        <translation>VERFEHLT</translation>
    </message>
    <message>
        <source>One file per channel</source>
        <translation>Eine Datei je Kanal</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>Open in {program}: {steps}</source>
        <translation>Öffnen in {program}: {steps}</translation>
    </message>
    <message>
        <source>Open it in the program that this system has for such files</source>
        <translation>Im dafür vorgesehenen Programm dieses Systems öffnen</translation>
    </message>
    <message>
        <source>Open the folder it lies in</source>
        <translation>Den Ordner der Datei öffnen</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>Projekt</translation>
    </message>
    <message>
        <source>Put the sound into the file (few programs open such files)</source>
        <translation>Ton in die Datei einbetten (wenige Programme öffnen solche Dateien)</translation>
    </message>
    <message>
        <source>Reel</source>
        <translation>Rolle</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>Second part of the files' names</source>
        <translation>Zweiter Teil der Dateinamen</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>Im Ordner zeigen</translation>
    </message>
    <message>
        <source>Show the file where it lies</source>
        <translation>Datei an ihrem Ort zeigen</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>Klang</translation>
    </message>
    <message>
        <source>Stems</source>
        <translation>Stems</translation>
    </message>
    <message>
        <source>Stems (WAV)</source>
        <translation>Stems (WAV)</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>Stop at once; nothing half-written stays</source>
        <translation>Sofort anhalten; nichts Halbfertiges bleibt zurück</translation>
    </message>
    <message>
        <source>The AAF then holds the sound itself, and grows by its size</source>
        <translation>Die AAF enthält dann den Ton selbst und wächst um dessen Größe</translation>
    </message>
    <message>
        <source>The mix</source>
        <translation>Die Mischung</translation>
    </message>
    <message>
        <source>The result is that file already.</source>
        <translation>Das Ergebnis ist bereits diese Datei.</translation>
    </message>
    <message>
        <source>Volume curves are comments, which no editor applies.</source>
        <translation>Lautstärkekurven sind Kommentare, die kein Schnittprogramm anwendet.</translation>
    </message>
    <message>
        <source>Volume curves are not carried: rebalance “as new sound” for it.</source>
        <translation>Lautstärkekurven werden nicht übertragen: dafür „als neuen Ton“ ausbalancieren.</translation>
    </message>
    <message>
        <source>Volume curves are part of the sound.</source>
        <translation>Lautstärkekurven sind im Ton enthalten.</translation>
    </message>
    <message>
        <source>Volume curves come as keyframes that can be edited.</source>
        <translation>Lautstärkekurven kommen als bearbeitbare Keyframes an.</translation>
    </message>
    <message>
        <source>Wanted</source>
        <translation>Verlangt</translation>
    </message>
    <message>
        <source>What to export</source>
        <translation>Was exportiert wird</translation>
    </message>
    <message>
        <source>Where it is written to</source>
        <translation>Wohin geschrieben wird</translation>
    </message>
    <message>
        <source>Which spec the files are held against</source>
        <translation>An welcher Norm die Dateien geprüft werden</translation>
    </message>
    <message>
        <source>Write it (Ctrl+Enter)</source>
        <translation>Schreiben (Strg+Eingabe)</translation>
    </message>
    <message>
        <source>Write it somewhere else; no file that is not ours is ever replaced</source>
        <translation>Woandershin schreiben; fremde Dateien werden nie ersetzt</translation>
    </message>
    <message>
        <source>Write to</source>
        <translation>Schreiben nach</translation>
    </message>
    <message>
        <source>Written: {file}</source>
        <translation>Geschrieben: {file}</translation>
    </message>
    <message>
        <source>advised otherwise</source>
        <translation>anders empfohlen</translation>
    </message>
    <message>
        <source>measuring</source>
        <translation>wird gemessen</translation>
    </message>
    <message>
        <source>ok</source>
        <translation>ok</translation>
    </message>
    <message>
        <source>writing</source>
        <translation>wird geschrieben</translation>
    </message>
    <message>
        <source>writing stems</source>
        <translation>Stems werden geschrieben</translation>
    </message>
    <message>
        <source>{name} is there already and not from here, so another name is taken.</source>
        <translation>{name} gibt es schon, und es ist nicht von hier; darum ein anderer Name.</translation>
    </message>
    <message>
        <source>{spec}: met.</source>
        <translation>{spec}: erfüllt.</translation>
    </message>
    <message>
        <source>{spec}: not met.</source>
        <translation>{spec}: nicht erfüllt.</translation>
    </message>
</context>
<context>
    <name>Fader</name>
    <message>
        <source>Monitor volume</source>
        <translation>Abhörlautstärke</translation>
    </message>
    <message>
        <source>Monitor volume: {0}</source>
        <translation>Abhörlautstärke: {0}</translation>
    </message>
</context>
<context>
    <name>FoleyView</name>
    <message>
        <source>At</source>
        <translation>Bei</translation>
    </message>
    <message>
        <source>Choose it for this place (Enter); undo takes it back</source>
        <translation>Für diese Stelle nehmen (Eingabe); Rückgängig nimmt es zurück</translation>
    </message>
    <message>
        <source>Choose nothing for this place</source>
        <translation>Nichts für diese Stelle nehmen</translation>
    </message>
    <message>
        <source>Earlier</source>
        <translation>Früher</translation>
    </message>
    <message>
        <source>Find silent pictures</source>
        <translation>Stumme Bilder suchen</translation>
    </message>
    <message>
        <source>Fits</source>
        <translation>Passt</translation>
    </message>
    <message>
        <source>Foley</source>
        <translation>Foley</translation>
    </message>
    <message>
        <source>Hear</source>
        <translation>Anhören</translation>
    </message>
    <message>
        <source>Hear it where it would lie</source>
        <translation>An seiner Stelle anhören</translation>
    </message>
    <message>
        <source>How far it is</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>How far it was nudged</source>
        <translation>Um wie viel verschoben</translation>
    </message>
    <message>
        <source>Later</source>
        <translation>Später</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>Dauer</translation>
    </message>
    <message>
        <source>Listens to all that plays, and lists shots in which nothing is heard</source>
        <translation>Hört alles, was klingt, und listet Einstellungen, in denen nichts zu hören ist</translation>
    </message>
    <message>
        <source>Make sounds</source>
        <translation>Klänge erzeugen</translation>
    </message>
    <message>
        <source>Make sounds for the chosen place</source>
        <translation>Klänge für die gewählte Stelle erzeugen</translation>
    </message>
    <message>
        <source>Nobody has looked yet.</source>
        <translation>Es wurde noch nicht gesucht.</translation>
    </message>
    <message>
        <source>One frame earlier</source>
        <translation>Ein Bild früher</translation>
    </message>
    <message>
        <source>One frame later</source>
        <translation>Ein Bild später</translation>
    </message>
    <message>
        <source>Pick</source>
        <translation>Nehmen</translation>
    </message>
    <message>
        <source>Pick none</source>
        <translation>Keinen nehmen</translation>
    </message>
    <message>
        <source>Picked</source>
        <translation>Gewählt</translation>
    </message>
    <message>
        <source>Shot</source>
        <translation>Einstellung</translation>
    </message>
    <message>
        <source>Shots in which nothing is heard (↑ ↓); Enter goes there</source>
        <translation>Einstellungen, in denen nichts zu hören ist (↑ ↓); Eingabe springt hin</translation>
    </message>
    <message>
        <source>Silent pictures</source>
        <translation>Stumme Bilder</translation>
    </message>
    <message>
        <source>Silent pictures: {count}, {seconds} s together</source>
        <translation>Stumme Bilder: {count}, zusammen {seconds} s</translation>
    </message>
    <message>
        <source>Something is heard under every picture.</source>
        <translation>Unter jedem Bild ist etwas zu hören.</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>Klang</translation>
    </message>
    <message>
        <source>Sounds for this place</source>
        <translation>Klänge für diese Stelle</translation>
    </message>
    <message>
        <source>Sounds that could go here (↑ ↓); Enter picks one</source>
        <translation>Klänge, die hier passen könnten (↑ ↓); Eingabe wählt einen</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>Stop looking; what has been found stays</source>
        <translation>Suche anhalten; Gefundenes bleibt</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Warum</translation>
    </message>
    <message>
        <source>muted</source>
        <translation>stumm</translation>
    </message>
    <message>
        <source>no clip</source>
        <translation>kein Clip</translation>
    </message>
    <message>
        <source>offline</source>
        <translation>offline</translation>
    </message>
    <message>
        <source>silent</source>
        <translation>stumm</translation>
    </message>
</context>
<context>
    <name>Head</name>
    <message>
        <source>M</source>
        <translation>M</translation>
    </message>
    <message>
        <source>Mute {stem}</source>
        <translation>{stem} stummschalten</translation>
    </message>
    <message>
        <source>S</source>
        <translation>S</translation>
    </message>
    <message>
        <source>Solo {stem}: hear it alone (hold {key})</source>
        <translation>Solo {stem}: allein hören ({key} halten)</translation>
    </message>
</context>
<context>
    <name>Header</name>
    <message>
        <source>Export</source>
        <translation>Export</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Reading {name} …</source>
        <translation>{name} wird gelesen …</translation>
    </message>
</context>
<context>
    <name>Inspector</name>
    <message>
        <source>Advanced</source>
        <translation>Erweitert</translation>
    </message>
    <message>
        <source>Advanced · {n} changed</source>
        <translation>Erweitert · {n} geändert</translation>
    </message>
    <message>
        <source>Hear the region around the playhead first ({key})</source>
        <translation>Zuerst den Bereich um die Abspielposition hören ({key})</translation>
    </message>
    <message>
        <source>Looking at what there is to do …</source>
        <translation>Es wird nachgesehen, was zu tun ist …</translation>
    </message>
    <message>
        <source>Open or fold the settings</source>
        <translation>Einstellungen auf- oder zuklappen</translation>
    </message>
    <message>
        <source>Preview here</source>
        <translation>Hier vorhören</translation>
    </message>
    <message>
        <source>Rebalance</source>
        <translation>Ausbalancieren</translation>
    </message>
    <message>
        <source>Rebalance audio</source>
        <translation>Ton ausbalancieren</translation>
    </message>
    <message>
        <source>Settings: {summary}</source>
        <translation>Einstellungen: {summary}</translation>
    </message>
    <message>
        <source>What it will do</source>
        <translation>Was geschehen wird</translation>
    </message>
    <message>
        <source>{name} ({key})</source>
        <translation>{name} ({key})</translation>
    </message>
</context>
<context>
    <name>Keys</name>
    <message>
        <source>About sightmix</source>
        <translation>Über sightmix</translation>
    </message>
    <message>
        <source>All clips</source>
        <translation>Alle Clips</translation>
    </message>
    <message>
        <source>Before or after</source>
        <translation>Vorher oder nachher</translation>
    </message>
    <message>
        <source>Both sides equally loud</source>
        <translation>Beide Seiten gleich laut</translation>
    </message>
    <message>
        <source>Cancel what runs</source>
        <translation>Laufendes abbrechen</translation>
    </message>
    <message>
        <source>Clip after</source>
        <translation>Clip danach</translation>
    </message>
    <message>
        <source>Clip before</source>
        <translation>Clip davor</translation>
    </message>
    <message>
        <source>Clip list</source>
        <translation>Clipliste</translation>
    </message>
    <message>
        <source>Close the timeline</source>
        <translation>Timeline schließen</translation>
    </message>
    <message>
        <source>Dialogue alone</source>
        <translation>Dialog allein</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Bearbeiten</translation>
    </message>
    <message>
        <source>Effects alone</source>
        <translation>Effekte allein</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportieren…</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Filter the clips</source>
        <translation>Clips filtern</translation>
    </message>
    <message>
        <source>Find media in a folder…</source>
        <translation>Medien in einem Ordner suchen…</translation>
    </message>
    <message>
        <source>Foley for silent clips…</source>
        <translation>Foley für stumme Clips…</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>Vollbild</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>Larger type</source>
        <translation>Größere Schrift</translation>
    </message>
    <message>
        <source>Loop</source>
        <translation>Schleife</translation>
    </message>
    <message>
        <source>Music alone</source>
        <translation>Musik allein</translation>
    </message>
    <message>
        <source>No clip</source>
        <translation>Kein Clip</translation>
    </message>
    <message>
        <source>Offline clips</source>
        <translation>Clips, die offline sind</translation>
    </message>
    <message>
        <source>One frame back</source>
        <translation>Ein Bild zurück</translation>
    </message>
    <message>
        <source>One frame on</source>
        <translation>Ein Bild vor</translation>
    </message>
    <message>
        <source>Open from DaVinci Resolve</source>
        <translation>Aus DaVinci Resolve öffnen</translation>
    </message>
    <message>
        <source>Open the demo</source>
        <translation>Demo öffnen</translation>
    </message>
    <message>
        <source>Open…</source>
        <translation>Öffnen…</translation>
    </message>
    <message>
        <source>Pause the queue</source>
        <translation>Warteschlange anhalten</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>Abspielen</translation>
    </message>
    <message>
        <source>Play backwards, faster each time</source>
        <translation>Rückwärts, jedes Mal schneller</translation>
    </message>
    <message>
        <source>Play forwards, faster each time</source>
        <translation>Vorwärts, jedes Mal schneller</translation>
    </message>
    <message>
        <source>Play or stop</source>
        <translation>Abspielen oder Stopp</translation>
    </message>
    <message>
        <source>Preview here</source>
        <translation>Hier vorhören</translation>
    </message>
    <message>
        <source>Put the result into DaVinci Resolve</source>
        <translation>Ergebnis in DaVinci Resolve ablegen</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Read the timeline again</source>
        <translation>Timeline neu lesen</translation>
    </message>
    <message>
        <source>Rebalance</source>
        <translation>Job</translation>
    </message>
    <message>
        <source>Rebalance audio</source>
        <translation>Ton ausbalancieren</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Wiederholen</translation>
    </message>
    <message>
        <source>Select</source>
        <translation>Auswahl</translation>
    </message>
    <message>
        <source>Settings as they are by themselves</source>
        <translation>Einstellungen auf Vorgabe</translation>
    </message>
    <message>
        <source>Settings of the window</source>
        <translation>Einstellungen des Fensters</translation>
    </message>
    <message>
        <source>Show the timeline's folder</source>
        <translation>Ordner der Timeline zeigen</translation>
    </message>
    <message>
        <source>Smaller type</source>
        <translation>Kleinere Schrift</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>Take back everything drawn by hand</source>
        <translation>Alles von Hand Gezeichnete zurücknehmen</translation>
    </message>
    <message>
        <source>The tour, in two minutes</source>
        <translation>Rundgang, in zwei Minuten</translation>
    </message>
    <message>
        <source>This is not there yet.</source>
        <translation>Das gibt es noch nicht.</translation>
    </message>
    <message>
        <source>To the end</source>
        <translation>Zum Ende</translation>
    </message>
    <message>
        <source>To the start</source>
        <translation>Zum Anfang</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>User guide</source>
        <translation>Handbuch</translation>
    </message>
    <message>
        <source>Usual size of type</source>
        <translation>Übliche Schriftgröße</translation>
    </message>
    <message>
        <source>View</source>
        <translation>Ansicht</translation>
    </message>
    <message>
        <source>What needs work</source>
        <translation>Was Arbeit braucht</translation>
    </message>
    <message>
        <source>What was taken away</source>
        <translation>Was weggenommen wurde</translation>
    </message>
</context>
<context>
    <name>KeysPage</name>
    <message>
        <source>(hold)</source>
        <translation>(halten)</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
</context>
<context>
    <name>LanesView</name>
    <message>
        <source>After</source>
        <translation>Nachher</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>Vorher</translation>
    </message>
    <message>
        <source>Before / after</source>
        <translation>Vorher / nachher</translation>
    </message>
    <message>
        <source>Before above, after below; heard: {side}</source>
        <translation>Oben vorher, unten nachher; zu hören: {side}</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>Einpassen</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>Folgen</translation>
    </message>
    <message>
        <source>Keep the playhead in view while it plays</source>
        <translation>Abspielposition beim Abspielen im Blick behalten</translation>
    </message>
    <message>
        <source>Lanes</source>
        <translation>Bahnen</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Scroll the lanes</source>
        <translation>Bahnen verschieben</translation>
    </message>
    <message>
        <source>Show all of the timeline (Shift+Z)</source>
        <translation>Die ganze Timeline zeigen (Umschalt+Z)</translation>
    </message>
    <message>
        <source>Show the spectrum of the side that is heard</source>
        <translation>Spektrum der gehörten Seite zeigen</translation>
    </message>
    <message>
        <source>Spectrum</source>
        <translation>Spektrum</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Warum</translation>
    </message>
    <message>
        <source>Zoom in (+)</source>
        <translation>Vergrößern (+)</translation>
    </message>
    <message>
        <source>Zoom out (−)</source>
        <translation>Verkleinern (−)</translation>
    </message>
</context>
<context>
    <name>LoudnessRow</name>
    <message>
        <source>A figure</source>
        <translation>Ein Wert</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>As the system has it</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Clips on track</source>
        <translation>Clips auf Spur</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>Farben</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportieren…</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Look for media in</source>
        <translation>Medien suchen in</translation>
    </message>
    <message>
        <source>Making the demo: two minutes of film with five tracks, some 200 MB. A moment …</source>
        <translation>Die Demo wird erstellt: zwei Minuten Film mit fünf Spuren, rund 200 MB. Einen Moment …</translation>
    </message>
    <message>
        <source>New here? The tour shows the panel on the demo's timeline, in two minutes.</source>
        <translation>Neu hier? Der Rundgang zeigt das Panel in zwei Minuten an der Timeline der Demo.</translation>
    </message>
    <message>
        <source>No, thank you</source>
        <translation>Nein, danke</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>Nichts</translation>
    </message>
    <message>
        <source>Open a timeline or a media file</source>
        <translation>Timeline oder Mediendatei öffnen</translation>
    </message>
    <message>
        <source>Open lately</source>
        <translation>Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>Put it into Resolve</source>
        <translation>In Resolve ablegen</translation>
    </message>
    <message>
        <source>Redo: {deed}</source>
        <translation>Wiederholen: {deed}</translation>
    </message>
    <message>
        <source>Settings, presets, recent timelines, curves drawn by hand</source>
        <translation>Einstellungen, Presets, zuletzt geöffnete Timelines, von Hand gezeichnete Kurven</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>Take the tour</source>
        <translation>Rundgang beginnen</translation>
    </message>
    <message>
        <source>The demo</source>
        <translation>Die Demo</translation>
    </message>
    <message>
        <source>The engine went down and is being started again; what it was doing goes on after that.</source>
        <translation>Die Engine ist abgestürzt und wird neu gestartet; danach geht die Arbeit weiter.</translation>
    </message>
    <message>
        <source>The guide comes with the source of sightmix.</source>
        <translation>Das Handbuch liegt dem Quelltext von sightmix bei.</translation>
    </message>
    <message>
        <source>The language changes when the panel is started again.</source>
        <translation>Die Sprache wechselt beim nächsten Start des Panels.</translation>
    </message>
    <message>
        <source>Timeline in this file</source>
        <translation>Timeline in dieser Datei</translation>
    </message>
    <message>
        <source>Undo: {deed}</source>
        <translation>Rückgängig: {deed}</translation>
    </message>
    <message>
        <source>{title} is rebalanced: {file}, beside the timeline. A plays before and after.</source>
        <translation>{title} ist ausbalanciert: {file}, neben der Timeline. A spielt vorher und nachher.</translation>
    </message>
</context>
<context>
    <name>MeterView</name>
    <message>
        <source>I</source>
        <comment>integrated</comment>
        <translation>I</translation>
    </message>
    <message>
        <source>LUFS</source>
        <translation>LUFS</translation>
    </message>
    <message>
        <source>Loudness</source>
        <translation>Lautheit</translation>
    </message>
    <message>
        <source>Loudness of what is heard, as it would be written: momentary (0.4 s), short-term (3 s), and integrated and true peak since playing began. Click, or press Delete, to measure anew.</source>
        <translation>Lautheit des Gehörten, so wie es geschrieben würde: Momentary (0,4 s), Short-term (3 s), Integrated und True Peak seit Beginn des Abspielens. Klick oder Entf misst neu.</translation>
    </message>
    <message>
        <source>M</source>
        <comment>momentary</comment>
        <translation>M</translation>
    </message>
    <message>
        <source>Momentary {momentary} LUFS, short-term {short_term} LUFS, integrated {integrated} LUFS, true peak {true_peak} dBTP</source>
        <translation>Momentary {momentary} LUFS, Short-term {short_term} LUFS, Integrated {integrated} LUFS, True Peak {true_peak} dBTP</translation>
    </message>
    <message>
        <source>S</source>
        <comment>short-term</comment>
        <translation>S</translation>
    </message>
    <message>
        <source>TP</source>
        <comment>true peak</comment>
        <translation>TP</translation>
    </message>
</context>
<context>
    <name>Notifier</name>
    <message>
        <source>Not done: {title}</source>
        <translation>Nicht fertig: {title}</translation>
    </message>
    <message>
        <source>Rebalanced: {title}</source>
        <translation>Ausbalanciert: {title}</translation>
    </message>
</context>
<context>
    <name>Outside</name>
    <message>
        <source>Export</source>
        <translation>Export</translation>
    </message>
    <message>
        <source>Foley</source>
        <translation>Foley</translation>
    </message>
    <message>
        <source>In Resolve: “{timeline}”, on {tracks}.</source>
        <translation>In Resolve: „{timeline}“, auf {tracks}.</translation>
    </message>
    <message>
        <source>Laying the result on a copy in Resolve …</source>
        <translation>Das Ergebnis wird in Resolve auf eine Kopie gelegt …</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
</context>
<context>
    <name>Page</name>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>Schließen (Esc)</translation>
    </message>
</context>
<context>
    <name>PictureView</name>
    <message>
        <source>Black: no picture on the timeline.</source>
        <translation>Schwarz: kein Bild auf der Timeline.</translation>
    </message>
    <message>
        <source>Picture at {0}</source>
        <translation>Bild bei {0}</translation>
    </message>
    <message>
        <source>This timeline has no picture: the mix is made by what is heard.</source>
        <translation>Diese Timeline hat kein Bild: gemischt wird nach dem, was zu hören ist.</translation>
    </message>
</context>
<context>
    <name>Pictures</name>
    <message>
        <source>Pictures</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>The frames that were looked at, at their times.</source>
        <translation>Die betrachteten Bilder, an ihren Zeiten.</translation>
    </message>
    <message>
        <source>This timeline has no picture</source>
        <translation>Diese Timeline hat kein Bild</translation>
    </message>
</context>
<context>
    <name>PreferencesPage</name>
    <message>
        <source>As the system has it</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>Farben</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Everything runs on this computer; nothing is sent anywhere.</source>
        <translation>Alles läuft auf diesem Rechner; nichts wird irgendwohin gesendet.</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Motion</source>
        <translation>Bewegung</translation>
    </message>
    <message>
        <source>Nothing moves by itself</source>
        <translation>Nichts bewegt sich von selbst</translation>
    </message>
    <message>
        <source>Settings of the window</source>
        <translation>Einstellungen des Fensters</translation>
    </message>
    <message>
        <source>Size of type</source>
        <translation>Schriftgröße</translation>
    </message>
    <message>
        <source>What is written where</source>
        <translation>Was wo gespeichert wird</translation>
    </message>
    <message>
        <source>nowhere: it is not kept</source>
        <translation>nirgends: es wird nicht aufbewahrt</translation>
    </message>
    <message>
        <source>{pixels} px</source>
        <translation>{pixels} px</translation>
    </message>
</context>
<context>
    <name>PresetBar</name>
    <message>
        <source>All settings as they are by default</source>
        <translation>Alle Einstellungen auf Vorgabe</translation>
    </message>
    <message>
        <source>Choose a preset first, or save one.</source>
        <translation>Zuerst ein Preset wählen oder eines sichern.</translation>
    </message>
    <message>
        <source>Choose one of your own presets first.</source>
        <translation>Zuerst ein eigenes Preset wählen.</translation>
    </message>
    <message>
        <source>Choose, save and share presets</source>
        <translation>Presets wählen, sichern und weitergeben</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Delete “{name}”</source>
        <translation>„{name}“ löschen</translation>
    </message>
    <message>
        <source>Export a preset</source>
        <translation>Preset exportieren</translation>
    </message>
    <message>
        <source>Export as a file…</source>
        <translation>Als Datei exportieren…</translation>
    </message>
    <message>
        <source>Import a file…</source>
        <translation>Datei importieren…</translation>
    </message>
    <message>
        <source>Import a preset</source>
        <translation>Preset importieren</translation>
    </message>
    <message>
        <source>Leave it</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Leave it (Escape)</source>
        <translation>Abbrechen (Esc)</translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation>Name des Presets</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>Preset</translation>
    </message>
    <message>
        <source>Preset: {name}</source>
        <translation>Preset: {name}</translation>
    </message>
    <message>
        <source>Presets (*{suffix})</source>
        <translation>Presets (*{suffix})</translation>
    </message>
    <message>
        <source>Rename “{name}”…</source>
        <translation>„{name}“ umbenennen…</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>Umbenennen…</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Sichern</translation>
    </message>
    <message>
        <source>Save (Enter)</source>
        <translation>Sichern (Eingabe)</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>Sichern…</translation>
    </message>
    <message>
        <source>Your defaults</source>
        <translation>Eigene Vorgaben</translation>
    </message>
    <message>
        <source>Your own settings</source>
        <translation>Eigene Einstellungen</translation>
    </message>
    <message>
        <source>{name}, changed</source>
        <translation>{name}, geändert</translation>
    </message>
</context>
<context>
    <name>Queue</name>
    <message>
        <source>It is being taken back.</source>
        <translation>Es wird gerade zurückgenommen.</translation>
    </message>
    <message>
        <source>It was stopped. What is complete is kept: doing it again goes on from there.</source>
        <translation>Er wurde angehalten. Was fertig ist, bleibt; noch einmal gestartet, geht es dort weiter.</translation>
    </message>
    <message>
        <source>It was taken back already; doing the job again puts it back.</source>
        <translation>Es wurde schon zurückgenommen; den Auftrag noch einmal ausführen stellt es wieder her.</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>The job is not done.</source>
        <translation>Der Auftrag ist nicht fertig.</translation>
    </message>
    <message>
        <source>There is nothing of this clip in the result.</source>
        <translation>Von diesem Clip ist nichts im Ergebnis.</translation>
    </message>
    <message>
        <source>What is complete is kept: it goes on from there.</source>
        <translation>Was fertig ist, bleibt: es geht dort weiter.</translation>
    </message>
    <message>
        <source>begins</source>
        <translation>beginnt</translation>
    </message>
    <message>
        <source>being rendered</source>
        <translation>wird gerendert</translation>
    </message>
    <message>
        <source>done</source>
        <translation>fertig</translation>
    </message>
    <message>
        <source>done earlier</source>
        <translation>schon früher fertig</translation>
    </message>
    <message>
        <source>drawing curves</source>
        <translation>Kurven werden gezeichnet</translation>
    </message>
    <message>
        <source>drawing the report</source>
        <translation>Bericht wird gezeichnet</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>fehlgeschlagen</translation>
    </message>
    <message>
        <source>finding the level</source>
        <translation>Pegel wird gesucht</translation>
    </message>
    <message>
        <source>left out</source>
        <translation>ausgelassen</translation>
    </message>
    <message>
        <source>listening</source>
        <translation>hört zu</translation>
    </message>
    <message>
        <source>loading the model</source>
        <translation>Modell wird geladen</translation>
    </message>
    <message>
        <source>looking at what there is to do</source>
        <translation>es wird nachgesehen, was zu tun ist</translation>
    </message>
    <message>
        <source>measuring</source>
        <translation>wird gemessen</translation>
    </message>
    <message>
        <source>paused</source>
        <translation>angehalten</translation>
    </message>
    <message>
        <source>reading the timeline</source>
        <translation>Timeline wird gelesen</translation>
    </message>
    <message>
        <source>rendering</source>
        <translation>wird gerendert</translation>
    </message>
    <message>
        <source>separating</source>
        <translation>wird getrennt</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>angehalten</translation>
    </message>
    <message>
        <source>taken back</source>
        <translation>zurückgenommen</translation>
    </message>
    <message>
        <source>the engine is being started again</source>
        <translation>die Engine wird neu gestartet</translation>
    </message>
    <message>
        <source>waiting</source>
        <translation>wartet</translation>
    </message>
    <message>
        <source>waiting for its curve</source>
        <translation>wartet auf seine Kurve</translation>
    </message>
    <message>
        <source>writing the report</source>
        <translation>Bericht wird geschrieben</translation>
    </message>
    <message>
        <source>writing the timeline</source>
        <translation>Timeline wird geschrieben</translation>
    </message>
    <message>
        <source>{n} failed</source>
        <translation>{n} fehlgeschlagen</translation>
    </message>
    <message>
        <source>{n} waiting</source>
        <translation>{n} warten</translation>
    </message>
    <message>
        <source>{time} left</source>
        <translation>noch {time}</translation>
    </message>
</context>
<context>
    <name>QueueView</name>
    <message>
        <source>All jobs</source>
        <translation>Alle Aufträge</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Copy details</source>
        <translation>Details kopieren</translation>
    </message>
    <message>
        <source>Do it again</source>
        <translation>Noch einmal</translation>
    </message>
    <message>
        <source>Do the job again</source>
        <translation>Den Auftrag noch einmal ausführen</translation>
    </message>
    <message>
        <source>Do them now; what is complete is not done again</source>
        <translation>Jetzt ausführen; Fertiges wird nicht wiederholt</translation>
    </message>
    <message>
        <source>Drop</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <source>Go on from what is complete</source>
        <translation>Bei dem weitermachen, was fertig ist</translation>
    </message>
    <message>
        <source>It is the next one.</source>
        <translation>Er ist der nächste.</translation>
    </message>
    <message>
        <source>Jobs and their clips</source>
        <translation>Aufträge und ihre Clips</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Mehr</translation>
    </message>
    <message>
        <source>More …</source>
        <translation>Mehr …</translation>
    </message>
    <message>
        <source>Not finished last time: {titles}</source>
        <translation>Letztes Mal nicht fertig: {titles}</translation>
    </message>
    <message>
        <source>Open the result</source>
        <translation>Ergebnis öffnen</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Progress of the job that runs</source>
        <translation>Fortschritt des laufenden Auftrags</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>Warteschlange</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>Im Ordner zeigen</translation>
    </message>
    <message>
        <source>Sooner</source>
        <translation>Eher</translation>
    </message>
    <message>
        <source>Stop at the next step; what is complete is kept</source>
        <translation>Beim nächsten Schritt anhalten; was fertig ist, bleibt</translation>
    </message>
    <message>
        <source>Stop this job; what is complete is kept ({key})</source>
        <translation>Diesen Auftrag abbrechen; was fertig ist, bleibt ({key})</translation>
    </message>
    <message>
        <source>Take all off that have ended</source>
        <translation>Alle beendeten entfernen</translation>
    </message>
    <message>
        <source>Take back this clip</source>
        <translation>Diesen Clip zurücknehmen</translation>
    </message>
    <message>
        <source>Take off the list</source>
        <translation>Von der Liste nehmen</translation>
    </message>
    <message>
        <source>Take them off the list; what was rendered stays where it is</source>
        <translation>Von der Liste nehmen; Gerendertes bleibt, wo es ist</translation>
    </message>
    <message>
        <source>{path} is no longer there.</source>
        <translation>{path} ist nicht mehr da.</translation>
    </message>
</context>
<context>
    <name>Reasons</name>
    <message>
        <source>A setting has no value that it can have.</source>
        <translation>Eine Einstellung hat keinen möglichen Wert.</translation>
    </message>
    <message>
        <source>All settings are as they are by themselves.</source>
        <translation>Alle Einstellungen stehen auf Vorgabe.</translation>
    </message>
    <message>
        <source>No clip has its media.</source>
        <translation>Kein Clip hat seine Medien.</translation>
    </message>
    <message>
        <source>No clip is chosen.</source>
        <translation>Kein Clip ist gewählt.</translation>
    </message>
    <message>
        <source>No timeline is open.</source>
        <translation>Keine Timeline ist geöffnet.</translation>
    </message>
    <message>
        <source>Nothing runs.</source>
        <translation>Nichts läuft.</translation>
    </message>
    <message>
        <source>Nothing was done that could be undone.</source>
        <translation>Es gibt nichts rückgängig zu machen.</translation>
    </message>
    <message>
        <source>Nothing was drawn by hand.</source>
        <translation>Nichts wurde von Hand gezeichnet.</translation>
    </message>
    <message>
        <source>Nothing was undone.</source>
        <translation>Nichts wurde rückgängig gemacht.</translation>
    </message>
    <message>
        <source>Resolve is being asked already.</source>
        <translation>Resolve wird bereits gefragt.</translation>
    </message>
    <message>
        <source>The clip list stands beside the picture already.</source>
        <translation>Die Clipliste steht schon neben dem Bild.</translation>
    </message>
    <message>
        <source>The demo comes with the source of sightmix, not with this installation.</source>
        <translation>Die Demo liegt dem Quelltext von sightmix bei, nicht dieser Installation.</translation>
    </message>
    <message>
        <source>The demo is being made.</source>
        <translation>Die Demo wird gerade erstellt.</translation>
    </message>
    <message>
        <source>The timeline has no audio clips.</source>
        <translation>Die Timeline hat keine Audioclips.</translation>
    </message>
    <message>
        <source>The timeline is still being read.</source>
        <translation>Die Timeline wird noch gelesen.</translation>
    </message>
    <message>
        <source>The timeline lies in no folder.</source>
        <translation>Die Timeline liegt in keinem Ordner.</translation>
    </message>
    <message>
        <source>There is no result yet: rebalance first.</source>
        <translation>Es gibt noch kein Ergebnis: zuerst ausbalancieren.</translation>
    </message>
    <message>
        <source>There is no such clip.</source>
        <translation>Es gibt keinen solchen Clip.</translation>
    </message>
    <message>
        <source>This timeline was not opened from DaVinci Resolve.</source>
        <translation>Diese Timeline wurde nicht aus DaVinci Resolve geöffnet.</translation>
    </message>
</context>
<context>
    <name>Row</name>
    <message>
        <source>Back to {value}</source>
        <translation>Zurück auf {value}</translation>
    </message>
    <message>
        <source>Reset {name}</source>
        <translation>{name} zurücksetzen</translation>
    </message>
    <message>
        <source>the bundled one</source>
        <translation>das mitgelieferte</translation>
    </message>
</context>
<context>
    <name>Ruler</name>
    <message>
        <source>Click to go there. Drag along the top edge to loop; I and O set its ends at the playhead.</source>
        <translation>Klick springt hin. Am oberen Rand ziehen, um eine Schleife zu setzen; I und O setzen ihre Enden an der Abspielposition.</translation>
    </message>
    <message>
        <source>Time ruler</source>
        <translation>Zeitlineal</translation>
    </message>
</context>
<context>
    <name>Settings</name>
    <message>
        <source>1 clip</source>
        <translation>1 Clip</translation>
    </message>
    <message>
        <source>1 track</source>
        <translation>1 Spur</translation>
    </message>
    <message>
        <source>As the gains make it</source>
        <translation>Wie die Kurven es ergeben</translation>
    </message>
    <message>
        <source>As the model was trained</source>
        <translation>Wie das Modell trainiert wurde</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <source>Balance</source>
        <translation>Balance</translation>
    </message>
    <message>
        <source>Curves; mixes as stems</source>
        <translation>Kurven; Mischungen als Stems</translation>
    </message>
    <message>
        <source>Curves; new sound for mixes</source>
        <translation>Kurven; neuer Ton für Mischungen</translation>
    </message>
    <message>
        <source>Delivery</source>
        <translation>Anlieferung</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Dialogue</source>
        <translation>Dialog</translation>
    </message>
    <message>
        <source>Effects</source>
        <translation>Effekte</translation>
    </message>
    <message>
        <source>Every clip by itself</source>
        <translation>Jeder Clip für sich</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Find cuts</source>
        <translation>Schnitte suchen</translation>
    </message>
    <message>
        <source>Frames over time</source>
        <translation>Bilder über die Zeit</translation>
    </message>
    <message>
        <source>Frames, seen by CLIP</source>
        <translation>Bilder, von CLIP gesehen</translation>
    </message>
    <message>
        <source>Full restyle</source>
        <translation>Ganz neu mischen</translation>
    </message>
    <message>
        <source>Handles</source>
        <translation>Handles</translation>
    </message>
    <message>
        <source>In its program's words</source>
        <translation>In der Sprache seines Programms</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>Keep originals on</source>
        <translation>Originale anlassen</translation>
    </message>
    <message>
        <source>Loudness</source>
        <translation>Lautheit</translation>
    </message>
    <message>
        <source>Mix</source>
        <translation>Mischung</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Music</source>
        <translation>Musik</translation>
    </message>
    <message>
        <source>New sound, a file per clip</source>
        <translation>Neuer Ton, eine Datei je Clip</translation>
    </message>
    <message>
        <source>New sound, a file per stem</source>
        <translation>Neuer Ton, eine Datei je Stem</translation>
    </message>
    <message>
        <source>New sound, curves muted beside</source>
        <translation>Neuer Ton, Kurven stumm daneben</translation>
    </message>
    <message>
        <source>No clip that is chosen can be rebalanced.</source>
        <translation>Kein gewählter Clip kann ausbalanciert werden.</translation>
    </message>
    <message>
        <source>Not looked at</source>
        <translation>Wird nicht betrachtet</translation>
    </message>
    <message>
        <source>Notes in words</source>
        <translation>Notizen in Worten</translation>
    </message>
    <message>
        <source>Open a timeline first.</source>
        <translation>Zuerst eine Timeline öffnen.</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Plain OTIO</source>
        <translation>Schlichtes OTIO</translation>
    </message>
    <message>
        <source>Render anew</source>
        <translation>Neu rendern</translation>
    </message>
    <message>
        <source>Repair</source>
        <translation>Reparieren</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>Stems</source>
        <translation>Stems</translation>
    </message>
    <message>
        <source>Strength</source>
        <translation>Stärke</translation>
    </message>
    <message>
        <source>Style</source>
        <translation>Stil</translation>
    </message>
    <message>
        <source>The programme as one</source>
        <translation>Das Programm als Ganzes</translation>
    </message>
    <message>
        <source>True peak</source>
        <translation>True Peak</translation>
    </message>
    <message>
        <source>about {time}</source>
        <translation>etwa {time}</translation>
    </message>
    <message>
        <source>all rendered already</source>
        <translation>alles schon gerendert</translation>
    </message>
    <message>
        <source>originals sound on under the result</source>
        <translation>Originale klingen unter dem Ergebnis weiter</translation>
    </message>
    <message>
        <source>originals will be muted</source>
        <translation>Originale werden stummgeschaltet</translation>
    </message>
    <message>
        <source>{h} h {m:02d} min</source>
        <translation>{h} h {m:02d} min</translation>
    </message>
    <message>
        <source>{n} clips</source>
        <translation>{n} Clips</translation>
    </message>
    <message>
        <source>{n} min</source>
        <translation>{n} min</translation>
    </message>
    <message>
        <source>{n} more</source>
        <translation>{n} weitere</translation>
    </message>
    <message>
        <source>{n} s</source>
        <translation>{n} s</translation>
    </message>
    <message>
        <source>{n} tracks</source>
        <translation>{n} Spuren</translation>
    </message>
</context>
<context>
    <name>SidePage</name>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>Schließen (Esc)</translation>
    </message>
</context>
<context>
    <name>Sides</name>
    <message>
        <source>A before</source>
        <translation>A vorher</translation>
    </message>
    <message>
        <source>B after</source>
        <translation>B nachher</translation>
    </message>
    <message>
        <source>Hear after (A)</source>
        <translation>Nachher hören (A)</translation>
    </message>
    <message>
        <source>Hear before (A)</source>
        <translation>Vorher hören (A)</translation>
    </message>
    <message>
        <source>Side that is heard</source>
        <translation>Gehörte Seite</translation>
    </message>
</context>
<context>
    <name>Sound</name>
    <message>
        <source>Sound device</source>
        <translation>Audiogerät</translation>
    </message>
    <message>
        <source>The system's: {0}</source>
        <translation>Das des Systems: {0}</translation>
    </message>
    <message>
        <source>There is none</source>
        <translation>Es gibt keines</translation>
    </message>
</context>
<context>
    <name>SoundLane</name>
    <message>
        <source>Sound after</source>
        <translation>Ton nachher</translation>
    </message>
    <message>
        <source>Sound before</source>
        <translation>Ton vorher</translation>
    </message>
    <message>
        <source>Sound before and after</source>
        <translation>Ton vorher und nachher</translation>
    </message>
    <message>
        <source>Waveform. Click to go there, drag to scrub.</source>
        <translation>Wellenform. Klick springt hin, Ziehen spult.</translation>
    </message>
</context>
<context>
    <name>SoundOut</name>
    <message>
        <source>There is no sound device: picture and meters run in silence. Connect one, or choose one.</source>
        <translation>Es gibt kein Audiogerät: Bild und Anzeigen laufen ohne Ton. Eines anschließen oder auswählen.</translation>
    </message>
    <message>
        <source>{device} no longer takes sound; choose another sound device or connect it again.</source>
        <translation>{device} nimmt keinen Ton mehr an; ein anderes Audiogerät wählen oder es wieder anschließen.</translation>
    </message>
</context>
<context>
    <name>SpectrumLane</name>
    <message>
        <source>Spectrum</source>
        <translation>Spektrum</translation>
    </message>
    <message>
        <source>The spectrum of the side that is heard, low below, high above.</source>
        <translation>Das Spektrum der gehörten Seite, tief unten, hoch oben.</translation>
    </message>
    <message>
        <source>after</source>
        <translation>nachher</translation>
    </message>
    <message>
        <source>before</source>
        <translation>vorher</translation>
    </message>
</context>
<context>
    <name>StemLane</name>
    <message numerus="yes">
        <source>%n point(s) drawn by hand.</source>
        <translation><numerusform>%n Punkt von Hand gezeichnet.</numerusform><numerusform>%n Punkte von Hand gezeichnet.</numerusform></translation>
    </message>
    <message>
        <source>Add point here	N</source>
        <translation>Hier einen Punkt setzen	N</translation>
    </message>
    <message>
        <source>Delete selected points	Del</source>
        <translation>Gewählte Punkte löschen	Entf</translation>
    </message>
    <message>
        <source>Dialogue</source>
        <translation>Dialog</translation>
    </message>
    <message>
        <source>Double-click adds a point · drag moves it · Alt draws · right-click for more</source>
        <translation>Doppelklick setzt einen Punkt · Ziehen bewegt ihn · Alt zeichnet · Rechtsklick für mehr</translation>
    </message>
    <message>
        <source>Double-click or N adds a point, Delete deletes, Alt draws. Arrows move selected points.</source>
        <translation>Doppelklick oder N setzt einen Punkt, Entf löscht, Alt zeichnet. Pfeile bewegen gewählte Punkte.</translation>
    </message>
    <message>
        <source>Effects</source>
        <translation>Effekte</translation>
    </message>
    <message>
        <source>Make points of what is visible or looped</source>
        <translation>Aus dem Sichtbaren oder der Schleife Punkte machen</translation>
    </message>
    <message>
        <source>Music</source>
        <translation>Musik</translation>
    </message>
    <message>
        <source>Preview to see what would be done</source>
        <translation>Vorhören zeigt, was geschehen würde</translation>
    </message>
    <message>
        <source>Reset all curves to the model</source>
        <translation>Alle Kurven auf das Modell zurücksetzen</translation>
    </message>
    <message>
        <source>Reset this stretch to the model</source>
        <translation>Diesen Abschnitt auf das Modell zurücksetzen</translation>
    </message>
    <message>
        <source>Reset {stem} to the model</source>
        <translation>{stem} auf das Modell zurücksetzen</translation>
    </message>
    <message>
        <source>This mix is fine: nothing was changed</source>
        <translation>Diese Mischung ist gut: nichts wurde geändert</translation>
    </message>
    <message>
        <source>{stem}: level and gain</source>
        <translation>{stem}: Pegel und Verstärkung</translation>
    </message>
</context>
<context>
    <name>TimecodeEdit</name>
    <message>
        <source>Timecode of the playhead</source>
        <translation>Timecode der Abspielposition</translation>
    </message>
    <message>
        <source>Type a timecode to go there: 01:00:10:00, 10:00, +12 or -1:00</source>
        <translation>Timecode eintippen, um hinzuspringen: 01:00:10:00, 10:00, +12 oder -1:00</translation>
    </message>
</context>
<context>
    <name>Tour</name>
    <message>
        <source>Do it</source>
        <translation>Machen</translation>
    </message>
    <message>
        <source>Every audio clip, with what its track holds: dialogue, music, effects or a mix. Where that is wrong, say so here: your word counts. Choose clips to rebalance only those; / filters.</source>
        <translation>Jeder Audioclip, mit dem Inhalt seiner Spur: Dialog, Musik, Effekte oder eine Mischung. Wo das nicht stimmt, lässt es sich hier ändern; diese Angabe gilt. Gewählte Clips werden allein ausbalanciert; / filtert.</translation>
    </message>
    <message>
        <source>Export writes the result for Resolve, Premiere, Final Cut, Avid, Reaper and others, and stems for the mixing room. ? shows all keys. Have a good mix.</source>
        <translation>Der Export schreibt das Ergebnis für Resolve, Premiere, Final Cut, Avid, Reaper und andere, und Stems für das Mischstudio. ? zeigt alle Tasten. Gutes Mischen!</translation>
    </message>
    <message>
        <source>Hear it</source>
        <translation>Hören</translation>
    </message>
    <message>
        <source>See why</source>
        <translation>Sehen, warum</translation>
    </message>
    <message>
        <source>Set it</source>
        <translation>Einstellen</translation>
    </message>
    <message>
        <source>Space plays, J K L shuttle. A switches between before and after, equally loud and at the same place. Hold D, M or E to hear dialogue, music or effects alone; R plays what was taken away.</source>
        <translation>Die Leertaste spielt ab, J K L spulen. A wechselt zwischen vorher und nachher, gleich laut und an derselben Stelle. D, M oder E gehalten lässt Dialog, Musik oder Effekte allein hören; R spielt, was weggenommen wurde.</translation>
    </message>
    <message>
        <source>Strength, the three levels and the loudness act while you listen. P first makes some seconds around the playhead, so that you hear soon where it goes.</source>
        <translation>Stärke, die drei Pegel und die Lautheit wirken beim Hören. P rechnet zuerst einige Sekunden um die Abspielposition, damit bald zu hören ist, wohin es geht.</translation>
    </message>
    <message>
        <source>Take it along</source>
        <translation>Mitnehmen</translation>
    </message>
    <message>
        <source>The clips</source>
        <translation>Die Clips</translation>
    </message>
    <message>
        <source>The one button. It writes new tracks into a new timeline, and mutes the old ones there. What it will do stands beside it before you press it. Run again, it replaces its own result and nothing else.</source>
        <translation>Der eine Knopf. Er schreibt neue Spuren in eine neue Timeline und schaltet die alten dort stumm. Was er tun wird, steht vorher daneben. Noch einmal gedrückt, ersetzt er sein eigenes Ergebnis und sonst nichts.</translation>
    </message>
    <message>
        <source>Three curves say how much louder or quieter each stem becomes, over the frames that the model looked at. Point at one for the reason. Drag its points, double-click for a new one, draw with Alt: what you hear follows at once.</source>
        <translation>Drei Kurven sagen, um wie viel jeder Stem lauter oder leiser wird, unter den Bildern, die das Modell betrachtet hat. Der Mauszeiger zeigt den Grund. Punkte ziehen, mit Doppelklick neue setzen, mit Alt zeichnen: das Gehörte folgt sofort.</translation>
    </message>
    <message>
        <source>Wait, or do not</source>
        <translation>Warten, oder auch nicht</translation>
    </message>
    <message>
        <source>What runs, how far it is and how long it will take. It can be paused and cancelled; what is done is kept. Ctrl+Z takes back everything that you do here, one thing after the other.</source>
        <translation>Was läuft, wie weit es ist und wie lange es noch dauert. Es lässt sich anhalten und abbrechen; was fertig ist, bleibt. Strg+Z nimmt alles zurück, was hier getan wird, eins nach dem anderen.</translation>
    </message>
    <message>
        <source>What this is</source>
        <translation>Was das hier ist</translation>
    </message>
    <message>
        <source>sightmix listens to a timeline while it looks at the picture, and brings speech, music and effects to where the picture asks for them. Everything runs on this computer. Your media and your tracks are never written to; results go beside the timeline, as new tracks in a new file.</source>
        <translation>sightmix hört eine Timeline an und sieht dabei das Bild; es bringt Sprache, Musik und Effekte dorthin, wo das Bild sie verlangt. Alles läuft auf diesem Rechner. Medien und Spuren werden nie überschrieben; Ergebnisse kommen neben die Timeline, als neue Spuren in einer neuen Datei.</translation>
    </message>
</context>
<context>
    <name>TransportView</name>
    <message>
        <source>A · before</source>
        <translation>A · vorher</translation>
    </message>
    <message>
        <source>B · after</source>
        <translation>B · nachher</translation>
    </message>
    <message>
        <source>Both sides equally loud (Shift+A)</source>
        <translation>Beide Seiten gleich laut (Umschalt+A)</translation>
    </message>
    <message>
        <source>Hear the mix again (R)</source>
        <translation>Wieder die Mischung hören (R)</translation>
    </message>
    <message>
        <source>Hear what was taken away (R)</source>
        <translation>Hören, was weggenommen wurde (R)</translation>
    </message>
    <message>
        <source>Loop (Shift+L)</source>
        <translation>Schleife (Umschalt+L)</translation>
    </message>
    <message>
        <source>Monitor: {0}</source>
        <translation>Abhöre: {0}</translation>
    </message>
    <message>
        <source>Mute the monitor</source>
        <translation>Abhöre stummschalten</translation>
    </message>
    <message>
        <source>One frame back (←)</source>
        <translation>Ein Bild zurück (←)</translation>
    </message>
    <message>
        <source>One frame on (→)</source>
        <translation>Ein Bild vor (→)</translation>
    </message>
    <message>
        <source>Play (Space)</source>
        <translation>Abspielen (Leertaste)</translation>
    </message>
    <message>
        <source>Play everywhere (Shift+L)</source>
        <translation>Überall abspielen (Umschalt+L)</translation>
    </message>
    <message>
        <source>Stop (Space)</source>
        <translation>Stopp (Leertaste)</translation>
    </message>
    <message>
        <source>Transport</source>
        <translation>Laufwerk</translation>
    </message>
    <message>
        <source>What is heard</source>
        <translation>Was zu hören ist</translation>
    </message>
    <message>
        <source>What was taken away</source>
        <translation>Was weggenommen wurde</translation>
    </message>
    <message>
        <source>as loud as it will be</source>
        <translation>so laut, wie es wird</translation>
    </message>
    <message>
        <source>level-matched</source>
        <translation>pegelgleich</translation>
    </message>
    <message>
        <source>level-matched by {0}</source>
        <translation>pegelgleich durch {0}</translation>
    </message>
    <message>
        <source>monitor muted</source>
        <translation>Abhöre stumm</translation>
    </message>
    <message>
        <source>muted</source>
        <translation>stumm</translation>
    </message>
    <message>
        <source>waiting for sound…</source>
        <translation>wartet auf Ton…</translation>
    </message>
</context>
<context>
    <name>_Bar</name>
    <message>
        <source>Close this notice</source>
        <translation>Diesen Hinweis schließen</translation>
    </message>
    <message>
        <source>Copies the sentence and what the engine said, for who helps you</source>
        <translation>Kopiert den Satz und die Meldung der Engine, für alle, die helfen</translation>
    </message>
    <message>
        <source>Copy details</source>
        <translation>Details kopieren</translation>
    </message>
</context>
<context>
    <name>_Bubble</name>
    <message>
        <source>&amp;Back</source>
        <translation>&amp;Zurück</translation>
    </message>
    <message>
        <source>&amp;Done</source>
        <translation>&amp;Fertig</translation>
    </message>
    <message>
        <source>&amp;End the tour</source>
        <translation>Rundgang b&amp;eenden</translation>
    </message>
    <message>
        <source>&amp;Next</source>
        <translation>&amp;Weiter</translation>
    </message>
    <message>
        <source>End the tour (Esc); Help &gt; The tour begins it again</source>
        <translation>Rundgang beenden (Esc); Hilfe &gt; Rundgang beginnt ihn wieder</translation>
    </message>
    <message>
        <source>One step back (Alt+B)</source>
        <translation>Ein Schritt zurück (Alt+Z)</translation>
    </message>
    <message>
        <source>The next step (Alt+N)</source>
        <translation>Der nächste Schritt (Alt+W)</translation>
    </message>
    <message>
        <source>The tour is over</source>
        <translation>Der Rundgang ist zu Ende</translation>
    </message>
</context>
<context>
    <name>_Changed</name>
    <message>
        <source>Read again</source>
        <translation>Neu lesen</translation>
    </message>
    <message>
        <source>Read the timeline again (Ctrl+R); what was said of its tracks stays</source>
        <translation>Timeline neu lesen (Strg+R); was über die Spuren gesagt wurde, bleibt</translation>
    </message>
    <message>
        <source>The file has changed on disk.</source>
        <translation>Die Datei hat sich auf dem Datenträger geändert.</translation>
    </message>
</context>
<context>
    <name>_Empty</name>
    <message>
        <source>Choose a timeline or media file (Ctrl+O)</source>
        <translation>Timeline oder Mediendatei wählen (Strg+O)</translation>
    </message>
    <message>
        <source>Copy details</source>
        <translation>Details kopieren</translation>
    </message>
    <message>
        <source>Drop a timeline or a media file here.</source>
        <translation>Timeline oder Mediendatei hier ablegen.</translation>
    </message>
    <message>
        <source>Open the demo</source>
        <translation>Demo öffnen</translation>
    </message>
    <message>
        <source>Open…</source>
        <translation>Öffnen…</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal</translation>
    </message>
</context>
<context>
    <name>_Filter</name>
    <message>
        <source>Filter</source>
        <translation>Filter</translation>
    </message>
    <message>
        <source>Filter the clips</source>
        <translation>Clips filtern</translation>
    </message>
    <message>
        <source>Show clips by name, track (A1), media file or timecode (/)</source>
        <translation>Clips nach Name, Spur (A1), Mediendatei oder Timecode zeigen (/)</translation>
    </message>
</context>
<context>
    <name>_Nothing</name>
    <message>
        <source>No clip is like that.</source>
        <translation>Kein Clip ist so.</translation>
    </message>
    <message>
        <source>Show all clips</source>
        <translation>Alle Clips zeigen</translation>
    </message>
    <message>
        <source>There is no sound on this timeline: nothing can be rebalanced.</source>
        <translation>Auf dieser Timeline ist kein Ton: es gibt nichts auszubalancieren.</translation>
    </message>
</context>
<context>
    <name>_Skeleton</name>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Do not open it</source>
        <translation>Nicht öffnen</translation>
    </message>
    <message>
        <source>Reading {0}…</source>
        <translation>{0} wird gelesen…</translation>
    </message>
</context>
</TS>
