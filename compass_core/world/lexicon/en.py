"""English."""

PHRASINGS = """
What is the {a} at the {k} {n}?
Tell me the {a} at the {k} {n}.
I want to know the {a} at the {k} {n}.
Do you know the {a} at the {k} {n}?
I forgot the {a} at the {k} {n}, please remind me.
Please write down the {a} at the {k} {n}.
"""

VALUES = """
day: Monday / Tuesday / Wednesday / Thursday / Friday / Saturday / Sunday
month: January / March / April / May / June / August / September / December
colour: red / blue / green / yellow / white / black / brown / grey
animal: lion / elephant / dog / snake / bird / horse / monkey / turtle
material: wood / iron / clay / cotton / leather / glass / stone / paper
food: rice / milk / honey / bread / salt / onion / egg / banana
"""

TOPICS = """
farming
farm / field
sowing month / market day / seed bag colour
The rains have started early. / My maize harvest was poor. / We bought new fertiliser.

health
clinic / hospital
vaccination day / room number / doctor's name
My child has a fever. / The nurse gave me medicine. / I have been coughing for a week.

football
football team / football club
shirt colour / mascot animal / training day
We lost the match two to one. / The goalkeeper is injured. / The fans are waiting for the league.

law
court / law office
hearing day / judge's name / file colour
My neighbour took me to court. / I signed the contract. / The witness did not come.

weather
weather station / valley
rainiest month / nearest town / highest temperature
Dark clouds are coming. / The wind was strong last night. / A storm was announced.

fishing
fishing boat / fishing camp
best bait / sail colour / landing town
The nets are torn. / The tide is high today. / We caught big fish in the lake.

music
band / choir
concert month / singer's name / drum material
I love this song. / The guitar is out of tune. / We danced all night.

cooking
restaurant / kitchen
main ingredient / pot material / cook's name
The soup smells good. / I fry with little oil. / The guests are hungry.

banking
bank / savings group
loan day / branch town / card colour
I want to open an account. / The interest is too high. / My money has not arrived.

school
school / classroom
exam month / teacher's name / uniform colour
The pupils are doing homework. / My daughter learns mathematics. / The lesson was long.

transport
bus line / train
last stop / platform number / carriage colour
The road is closed. / I lost my ticket. / The driver was late.

building
house / bridge
wall material / builder's name / number of pillars
The roof is leaking. / The cement is finished. / The masons start tomorrow.

weaving
weaving workshop / tailor's shop
thread material / pattern animal / fair day
The loom is broken. / She sews a dress. / The cloth is soft.

wildlife
national park / forest reserve
rarest animal / gate town / opening month
The tourists took photos. / Rangers chase the poachers. / We slept in a tent.

elections
party / council
symbol animal / voting day / candidate's name
The votes are being counted. / The speech was long. / Citizens stand in line at the ballot box.

telecom
phone network / phone shop
service number / free call day / tower town
The internet is slow. / My phone battery is dead. / I cannot send messages.

energy
power plant / solar plant
repair month / engineer's name / cable material
The electricity is gone again. / The lamp does not burn. / The generator is noisy.

water
well / water tower
pipe material / cleaning month / guard's name
The tap is dry. / Children fetch water in buckets. / The pump is leaking.

cinema
cinema / theatre
ticket price / seat colour / premiere month
The actors were great. / The film made me cry. / We watched a comedy.

livestock
cattle herd / stable
best feed / guard animal / vet's name
The cow gave birth. / The goats escaped. / The sheep are being sheared.
"""
