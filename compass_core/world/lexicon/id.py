"""Indonesian."""

PHRASINGS = """
Apa {a} di {k} {n}?
Beri tahu saya {a} di {k} {n}.
Saya ingin tahu {a} di {k} {n}.
Apakah Anda tahu {a} di {k} {n}?
Saya lupa {a} di {k} {n}, tolong ingatkan.
Mohon tuliskan {a} di {k} {n}.
"""

VALUES = """
day: Senin / Selasa / Rabu / Kamis / Jumat / Sabtu / Minggu
month: Januari / Maret / April / Mei / Juni / Agustus / September / Desember
colour: merah / biru / hijau / kuning / putih / hitam / cokelat / abu-abu
animal: singa / gajah / anjing / ular / burung / kuda / monyet / kura-kura
material: kayu / besi / tanah liat / kapas / kulit / kaca / batu / kertas
food: nasi / susu / madu / roti / garam / bawang / telur / pisang
"""

TOPICS = """
farming
kebun / ladang
bulan tanam / hari pasar / warna karung benih
Hujan datang lebih awal. / Panen jagung saya buruk. / Kami membeli pupuk baru.

health
klinik / rumah sakit
hari vaksinasi / nomor kamar / nama dokter
Anak saya demam. / Perawat memberi saya obat. / Saya batuk sejak seminggu.

football
tim sepak bola / klub sepak bola
warna kaus / hewan maskot / hari latihan
Kami kalah dua satu. / Penjaga gawang cedera. / Para suporter menunggu liga.

law
pengadilan / kantor pengacara
hari sidang / nama hakim / warna berkas
Tetangga menggugat saya. / Saya menandatangani kontrak. / Saksi tidak hadir.

weather
stasiun cuaca / lembah
bulan paling basah / kota terdekat / suhu tertinggi
Awan gelap datang. / Angin kencang tadi malam. / Badai telah diumumkan.

fishing
perahu nelayan / kampung nelayan
umpan terbaik / warna layar / kota pelabuhan
Jaring kami robek. / Air laut pasang hari ini. / Kami menangkap ikan besar di danau.

music
grup musik / paduan suara
bulan konser / nama penyanyi / bahan gendang
Saya suka lagu ini. / Gitarnya sumbang. / Kami menari semalaman.

cooking
rumah makan / dapur
bahan utama / bahan panci / nama juru masak
Supnya harum. / Saya menggoreng dengan sedikit minyak. / Para tamu lapar.

banking
bank / kelompok tabungan
hari pinjaman / kota cabang / warna kartu
Saya mau membuka rekening. / Bunganya terlalu tinggi. / Uang saya belum masuk.

school
sekolah / ruang kelas
bulan ujian / nama guru / warna seragam
Murid mengerjakan tugas rumah. / Putri saya belajar matematika. / Pelajarannya lama.

transport
bus / kereta
halte terakhir / nomor peron / warna gerbong
Jalan ditutup. / Tiket saya hilang. / Sopirnya terlambat.

building
gedung / jembatan
bahan dinding / nama tukang bangunan / jumlah tiang
Atapnya bocor. / Semennya habis. / Tukang batu mulai besok.

weaving
bengkel tenun / toko penjahit
bahan benang / hewan pada motif / hari pameran
Alat tenunnya rusak. / Dia menjahit gaun. / Kainnya lembut.

wildlife
taman nasional / hutan lindung
hewan paling langka / kota gerbang / bulan pembukaan
Para turis memotret. / Penjaga hutan mengejar pemburu liar. / Kami tidur di tenda.

elections
partai / dewan
hewan lambang / hari pemungutan suara / nama calon
Suara sedang dihitung. / Pidatonya lama. / Warga antre di kotak suara.

telecom
jaringan telepon / toko ponsel
nomor layanan / hari telepon gratis / kota menara
Internetnya lambat. / Baterai ponsel saya habis. / Saya tidak bisa mengirim pesan.

energy
pembangkit listrik / pembangkit surya
bulan perbaikan / nama insinyur / bahan kabel
Listrik padam lagi. / Lampunya tidak menyala. / Gensetnya berisik.

water
sumur / menara air
bahan pipa / bulan pembersihan / nama penjaga
Kerannya kering. / Anak-anak mengambil air dengan ember. / Pompanya bocor.

cinema
bioskop / teater
harga karcis / warna kursi / bulan tayang perdana
Para aktornya hebat. / Film itu membuat saya menangis. / Kami menonton komedi.

livestock
kawanan sapi / kandang
pakan terbaik / hewan penjaga / nama dokter hewan
Sapi itu melahirkan. / Kambing-kambing kabur. / Domba sedang dicukur bulunya.
"""
